#include "io/carry/matrix_out.hpp"

#include <array>
#include <utility>

#include "io/h5ad_write/attributes.hpp"

namespace quern::io {
namespace {

OutputGroup tagged(OutputGroup group, const MatrixShape& shape) {
  tag_element(group.get(), group.object(), "csr_matrix", "0.1.0");
  const std::array dims{shape.n_rows, shape.n_cols};
  write_attribute(group.get(), group.object(), "shape", std::span<const std::int64_t>(dims));
  return group;
}

TypeHandle type_to_store(const MatrixOutOptions& options) {
  return type_named(!options.stored_type.empty() ? options.stored_type : options.value_type == ValueType::f32 ? "float32" : "float64");
}

}  // namespace

std::size_t MatrixOut::memory_bytes(const MatrixShape& shape, const MatrixOutOptions& options, const MemoryBudget& budget) {
  const std::size_t value_bytes = element_type(type_to_store(options).get()).size;
  const std::size_t each = SparseOut::bytes_each_parallel(value_bytes, options.compression, options.chunk_length);
  return static_cast<std::size_t>(
             SparseOut::affordable_parallel(value_bytes, options.compression, options.chunk_length, options.threads, budget)) *
             each +
         static_cast<std::size_t>(shape.n_rows + 1) * sizeof(std::int64_t);
}

MatrixOut::MatrixOut(const OutputFile& to, const MatrixShape& shape, const MatrixOutOptions& options, MemoryBudget& budget)
    : MatrixOut(tagged(make_group(to, "X"), shape), shape, options, budget) {}

MatrixOut::MatrixOut(const OutputGroup& to, const std::string& name, const MatrixShape& shape, const MatrixOutOptions& options,
                     MemoryBudget& budget)
    : MatrixOut(tagged(make_group(to, name), shape), shape, options, budget) {}

MatrixOut::MatrixOut(OutputGroup group, const MatrixShape& shape, const MatrixOutOptions& options, MemoryBudget& budget)
    : group_(std::move(group)) {
  const TypeHandle type = type_to_store(options);
  value_type_ = element_type(type.get());
  SparseOutOptions how{options.compression, options.chunk_length};
  const bool may_copy = options.from && options.compression.packing == Packing::gzip;
  copies_ = may_copy && ChunkCopy::can_copy_indices(options.from->id(), *options.matrix);
  copies_data_ = may_copy && options.keeps_data && ChunkCopy::can_copy_data(options.from->id(), *options.matrix);
  if (copies_data_) how.data = std::make_unique<ChunkCopy>(options.from->id(), options.matrix->data, "data", type.get(), group_, budget);
  if (copies_) {
    const hid_t index = needs_wide_indices(shape.n_rows, shape.n_cols, shape.nnz) ? file_type<std::int64_t>() : file_type<std::int32_t>();
    how.indices = std::make_unique<ChunkCopy>(options.from->id(), options.matrix->indices, "indices", index, group_, budget);
  }
  const int n_parallel =
      SparseOut::affordable_parallel(value_type_.size, options.compression, options.chunk_length, options.threads, budget);
  out_ = std::make_unique<SparseOut>(group_, shape, type.get(), std::move(how), budget, n_parallel);
}

void MatrixOut::finish() {
  out_->finish();
  group_.close();
}

void MatrixOut::give_up() {
  out_->give_up();
  group_.close();
}

}  // namespace quern::io
