#include "cuda/gene_memory.hpp"

#include "cuda/kernels/launches.hpp"

namespace quern::cuda {
namespace {

template <class V>
GeneTables carve_real(const PassSpec& pass, Carver& carver) {
  GeneTables tables;
  tables.real = carver.take<RealGeneState<V>>(pass.n_cols);
  if (pass.moments) tables.squares = carver.take<SquareState<V>>(pass.n_cols);
  return tables;
}

}  // namespace

GeneTables carve_tables(const PassSpec& pass, Carver& carver) {
  GeneTables tables;
  if (!pass.whole) tables = pass.value_type == ValueType::f32 ? carve_real<float>(pass, carver) : carve_real<double>(pass, carver);
  if (pass.whole) tables.whole = carver.take<WholeGeneState>(pass.n_cols);
  if (pass.moments) tables.moments = carver.take<MomentState>(pass.n_cols);
  return tables;
}

std::size_t table_bytes(const PassSpec& pass) {
  Carver carver(nullptr);
  carve_tables(pass, carver);
  return carver.used();
}

GeneMemory::Parts GeneMemory::carve(const PassSpec& pass, Carver& carver) {
  Parts parts{};
  parts.tables = carve_tables(pass, carver);
  parts.n_largest = carver.take<std::int32_t>(static_cast<std::size_t>(pass.n_top));
  parts.gene_sets = carver.take<std::uint32_t>(pass.n_sets > 0 ? pass.n_cols : 0);
  return parts;
}

std::size_t GeneMemory::device_bytes(const PassSpec& pass) {
  Carver carver(nullptr);
  carve(pass, carver);
  return carver.used();
}

GeneMemory::GeneMemory(const PassSpec& pass, std::span<const std::int32_t> n_largest, std::span<const std::uint32_t> gene_sets,
                       DeviceMemory& memory)
    : name_(memory.device()), pass_(pass), stream_(name_), block_(memory, device_bytes(pass), stream_.get()) {
  Carver carver(block_.data());
  const Parts parts = carve(pass, carver);
  tables_ = parts.tables;
  pass_.n_largest = parts.n_largest;
  pass_.gene_sets = parts.gene_sets;
  try {
    fill(parts, n_largest, gene_sets);
  } catch (...) {
    static_cast<void>(runtime::synchronize_stream(stream_.get()));  // what was enqueued still reads the lists
    throw;
  }
}

void GeneMemory::fill(const Parts& parts, std::span<const std::int32_t> n_largest, std::span<const std::uint32_t> gene_sets) {
  const auto checked = [&](Status status) { check(status, name_, "preparing the gene tables"); };
  if (const std::size_t bytes = table_bytes(pass_)) checked(runtime::clear_async(block_.data(), bytes, stream_.get()));
  if (parts.n_largest)
    checked(runtime::copy_async(parts.n_largest, n_largest.data(), n_largest.size_bytes(), CopyTo::device, stream_.get()));
  if (parts.gene_sets)
    checked(runtime::copy_async(parts.gene_sets, gene_sets.data(), gene_sets.size_bytes(), CopyTo::device, stream_.get()));
  checked(runtime::synchronize_stream(stream_.get()));
}

void GeneMemory::carry() {
  launch_carry(pass_, tables_, stream_.get());
  check(runtime::last_error(), name_, "starting kernels on the gene tables");
  check(runtime::synchronize_stream(stream_.get()), name_, "carrying in the gene tables");
}

void GeneMemory::download(std::byte* host) const {
  constexpr const char* what = "copying the gene tables from the device";
  if (const std::size_t bytes = table_bytes(pass_)) {
    check(runtime::copy_async(host, block_.data(), bytes, CopyTo::host, stream_.get()), name_, what);
    check(runtime::synchronize_stream(stream_.get()), name_, what);
  }
}

}  // namespace quern::cuda
