// Which kernels a chunk needs, with how many blocks and how much shared memory: one decision for the GPU and for its emulation, which
// differ in the Launcher only: launcher(kernel, blocks, shared_bytes) starts kernel.threads threads a block, after what was started before.
#pragma once
#include <algorithm>

#include "cuda/kernels/densify_rows.hpp"
#include "cuda/kernels/launches.hpp"
#include "cuda/kernels/map_values.hpp"
#include "cuda/kernels/real_fold.hpp"
#include "cuda/kernels/real_top.hpp"
#include "cuda/kernels/whole_fold.hpp"
#include "cuda/kernels/whole_moments.hpp"
#include "cuda/kernels/whole_top.hpp"

namespace quern::cuda {

// What the decisions need to know of a device.
struct DeviceShape {
  int multiprocessors = 1;
  std::size_t shared_bytes = 48 * 1024;  // that a block may have
};

// Sets a few words to zero; one block.
struct ClearWords {
  static constexpr int threads = 32, blocks_each = 1;
  std::uint32_t* words;
  int count;
  QUERN_DEVICE void operator()(Block& block) const {
    for (int i = block.thread(); i < count; i += block.threads()) store(words, i, 0U);
  }
};

namespace dispatch {

constexpr std::size_t list_head_bytes = 256;  // the count of a RowList, and the alignment of what follows

inline RowList row_list(std::byte* scratch) {
  return {reinterpret_cast<std::uint32_t*>(scratch), reinterpret_cast<std::int32_t*>(scratch + list_head_bytes)};
}

// Calls use(Entries<...>) for the codes of the chunk's columns and values.
template <class Use>
void with_entries(const DeviceChunk& chunk, const Use& use) {
  const auto with_values = [&](auto column) {
    using Column = decltype(column);
    if (chunk.value_code == ValueCode::u8) return use(Entries<Column, std::uint8_t>{chunk});
    if (chunk.value_code == ValueCode::f32) return use(Entries<Column, float>{chunk});
    return use(Entries<Column, double>{chunk});
  };
  if (chunk.column_code == ColumnCode::u16) return with_values(std::uint16_t{});
  return with_values(std::uint32_t{});
}

// For kernels that keep little in shared memory: as many blocks as a device is sure to take at once, fewer for less work.
template <class Kernel>
int many_blocks(std::int64_t n_items, std::int64_t items_a_block, const DeviceShape& device) {
  const std::int64_t wanted = (n_items + items_a_block - 1) / items_a_block;
  return static_cast<int>(std::clamp<std::int64_t>(wanted, 1, std::int64_t{device.multiprocessors} * Kernel::blocks_each));
}

// One block a multiprocessor where there is work for it: half a thousand entries a warp.
template <class Kernel>
int fold_blocks(const DeviceChunk& chunk, const DeviceShape& device) {
  const std::int64_t cost = chunk.nnz + std::int64_t{32} * chunk.n_rows, block_cost = Kernel::threads * 16;
  return static_cast<int>(std::clamp<std::int64_t>((cost + block_cost - 1) / block_cost, 1, device.multiprocessors));
}

// Rows so short that a warp has room for four of them, on average.
inline bool short_rows(const ChunkJob& job) { return job.pass.n_sets <= 8 && job.chunk.nnz < std::int64_t{16} * job.chunk.n_rows; }

template <int Width, class EntriesType, class Launcher>
void fold_whole(const EntriesType& entries, const ChunkJob& job, const DeviceShape& device, Launcher& launcher) {
  using Kernel = WholeFold<EntriesType, Width>;
  const std::uint32_t window = Kernel::window_that_fits(job.pass.n_cols, device.shared_bytes);
  const Kernel kernel{entries, job.pass, job.rows, job.genes.whole, window, row_list(job.scratch)};
  launcher(kernel, fold_blocks<Kernel>(job.chunk, device), Kernel::shared_bytes(window));
}

}  // namespace dispatch

template <class Launcher>
void dispatch_whole_chunk(const ChunkJob& job, const DeviceShape& device, Launcher& launcher) {
  if (job.chunk.n_rows == 0) return;
  const RowList unfinished = dispatch::row_list(job.scratch);
  if (job.pass.n_top) launcher(ClearWords{unfinished.count, 1}, 1, 0);
  dispatch::with_entries(job.chunk, [&](const auto& entries) {
    using EntriesType = std::decay_t<decltype(entries)>;
    if (dispatch::short_rows(job))
      dispatch::fold_whole<8>(entries, job, device, launcher);
    else
      dispatch::fold_whole<warp_size>(entries, job, device, launcher);
    using Top = WholeTop<EntriesType>;
    const int rows = job.chunk.n_rows;
    if (job.pass.n_top)
      launcher(Top{entries, job.pass, job.rows, unfinished}, dispatch::many_blocks<Top>(rows, 1, device), Top::shared_bytes());
    using Moments = WholeMoments<EntriesType>;
    if (job.pass.moments)
      launcher(Moments{entries, job.rows.totals, job.genes.moments},
               dispatch::many_blocks<Moments>(rows, Moments::threads / warp_size, device), 0);
  });
}

namespace dispatch {

template <class V, class EntriesType, class Launcher>
void fold_real(const EntriesType& entries, const ChunkJob& job, const DeviceShape& device, Launcher& launcher) {
  using Fold = RealFold<EntriesType, V>;
  using Top = RealTop<EntriesType, V>;
  const Fold fold{
      entries,          job.pass, job.rows, static_cast<RealGeneState<V>*>(job.genes.real), static_cast<SquareState<V>*>(job.genes.squares),
      job.genes.moments};
  launcher(fold, many_blocks<Fold>(job.chunk.n_rows, 1, device), Fold::shared_bytes(job.pass.n_sets));
  if (job.pass.n_top) launcher(Top{entries, job.pass, job.rows}, many_blocks<Top>(job.chunk.n_rows, 1, device), Top::shared_bytes());
}

template <class V, class Launcher>
void carry_tables(const PassSpec& pass, const GeneTables& genes, const DeviceShape& device, Launcher& launcher) {
  using Carry = CarryLimbs<RealGeneState<V>, typename ExactSums<V>::Sum>;
  using CarrySquares = CarryLimbs<SquareState<V>, typename ExactSums<V>::SquareSum>;
  const int blocks = many_blocks<Carry>(pass.n_cols, Carry::threads, device);
  launcher(Carry{static_cast<RealGeneState<V>*>(genes.real), pass.n_cols}, blocks, 0);
  if (pass.moments) launcher(CarrySquares{static_cast<SquareState<V>*>(genes.squares), pass.n_cols}, blocks, 0);
}

}  // namespace dispatch

template <class Launcher>
void dispatch_real_chunk(const ChunkJob& job, const DeviceShape& device, Launcher& launcher) {
  if (job.chunk.n_rows == 0) return;
  dispatch::with_entries(job.chunk, [&](const auto& entries) {
    using Value = typename std::decay_t<decltype(entries)>::Value;
    if (job.pass.value_type == ValueType::f64) return dispatch::fold_real<double>(entries, job, device, launcher);
    if constexpr (!std::is_same_v<Value, double>) dispatch::fold_real<float>(entries, job, device, launcher);
  });
}

template <class Launcher>
void dispatch_carry(const PassSpec& pass, const GeneTables& genes, const DeviceShape& device, Launcher& launcher) {
  if (pass.value_type == ValueType::f64)
    dispatch::carry_tables<double>(pass, genes, device, launcher);
  else
    dispatch::carry_tables<float>(pass, genes, device, launcher);
}

template <class Launcher>
void dispatch_map_values(const MapJob& job, const DeviceShape& device, Launcher& launcher) {
  dispatch::with_entries(job.chunk, [&](const auto& entries) {
    const auto map_to = [&]<class Out>(Out* out) {
      using Map = MapValues<std::decay_t<decltype(entries)>, Out>;
      const int blocks = dispatch::many_blocks<Map>(job.chunk.n_rows, Map::threads / warp_size, device);
      launcher(Map{entries, job.divisors, job.map, out}, blocks, 0);
    };
    if (job.out_type == ValueType::f64) return map_to(static_cast<double*>(job.out));
    map_to(static_cast<float*>(job.out));
  });
}

template <class Launcher>
void dispatch_densify_rows(const DensifyJob& job, const DeviceShape& device, Launcher& launcher) {
  dispatch::with_entries(job.chunk, [&](const auto& entries) {
    using Densify = DensifyRows<std::decay_t<decltype(entries)>>;
    launcher(Densify{entries, job.tile}, dispatch::many_blocks<Densify>(job.chunk.n_rows, Densify::threads / warp_size, device), 0);
  });
}

inline std::size_t dispatch_scratch_bytes(const PassSpec& pass) {
  return dispatch::list_head_bytes + static_cast<std::size_t>(pass.max_rows) * sizeof(std::int32_t);
}

}  // namespace quern::cuda
