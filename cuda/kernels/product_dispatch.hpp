// Which kernel a chunk of a product needs, with how many blocks and how much shared memory; as dispatch.hpp, for the GPU and its emulation.
#pragma once
#include "cuda/kernels/dispatch.hpp"
#include "cuda/kernels/fold_genes.hpp"
#include "cuda/kernels/multiply_rows.hpp"
#include "cuda/kernels/product_launches.hpp"

namespace quern::cuda {
namespace dispatch {

// Calls use(Entries, pointer to B's values).
template <class Use>
void with_factor(const DeviceChunk& chunk, const DeviceDense& b, const Use& use) {
  with_entries(chunk, [&](const auto& entries) {
    if (b.type == ValueType::f32)
      use(entries, static_cast<const float*>(b.values));
    else
      use(entries, static_cast<const double*>(b.values));
  });
}

constexpr std::int64_t entries_worth_a_copy = 16;  // of a chunk, for each value of B that every block would bring into its shared memory

}  // namespace dispatch

template <class Launcher>
void dispatch_multiply_rows(const MultiplyJob& job, const DeviceShape& device, Launcher& launcher) {
  if (job.chunk.nnz == 0) return;
  dispatch::with_factor(job.chunk, job.b, [&]<class EntriesType, class Dense>(const EntriesType& entries, const Dense* b) {
    using Multiply = MultiplyRows<EntriesType, Dense>;
    const int blocks = dispatch::many_blocks<Multiply>(job.chunk.n_rows, Multiply::threads / warp_size, device);
    const std::size_t shared = Multiply::shared_bytes(job.b.n_rows, job.b.n_cols);
    const bool pays = job.chunk.nnz >= dispatch::entries_worth_a_copy * job.b.n_rows;
    const bool keeps_b = pays && shared * Multiply::blocks_each <= device.shared_bytes;
    launcher(Multiply{entries, b, static_cast<std::int32_t>(job.b.n_rows), job.b.n_cols, job.sums, keeps_b}, blocks, keeps_b ? shared : 0);
  });
}

template <class Launcher>
void dispatch_fold_genes(const FoldJob& job, const DeviceShape& device, Launcher& launcher) {
  if (job.chunk.nnz == 0) return;
  dispatch::with_factor(job.chunk, job.b, [&]<class EntriesType, class Dense>(const EntriesType& entries, const Dense* b) {
    using Fold = FoldGenes<EntriesType, Dense>;
    const std::int64_t genes_a_block = std::int64_t{Fold::threads / warp_size} * Fold::genes_each;
    const int blocks = dispatch::many_blocks<Fold>(job.chunk.n_cols, genes_a_block, device);
    launcher(Fold{entries, b, job.b.n_cols, job.sums}, blocks, Fold::shared_bytes());
  });
}

}  // namespace quern::cuda
