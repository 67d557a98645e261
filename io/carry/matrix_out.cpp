#include "io/carry/matrix_out.hpp"

#include <algorithm>
#include <array>

#include "io/h5ad_write/attributes.hpp"

namespace quern::io {
namespace {

OutputGroup make_matrix_group(const OutputFile& to, const MatrixShape& shape) {
  OutputGroup group = make_group(to, "X");
  tag_element(group.get(), group.object(), "csr_matrix", "0.1.0");
  const std::array dims{shape.n_rows, shape.n_cols};
  write_attribute(group.get(), group.object(), "shape", std::span<const std::int64_t>(dims));
  return group;
}

int affordable_chunks(const MatrixOutOptions& options, const MemoryBudget& budget) {
  const std::size_t each = SparseOut::bytes_each_parallel(size_of(options.value_type), options.compression);
  return static_cast<int>(std::clamp<std::size_t>(budget.available() / 4 / each, 1, 2 * static_cast<std::size_t>(options.threads)));
}

}  // namespace

MatrixOut::MatrixOut(const OutputFile& to, const MatrixShape& shape, const MatrixOutOptions& options, MemoryBudget& budget)
    : group_(make_matrix_group(to, shape)) {
  std::unique_ptr<IndexCopy> copied;
  copies_ = options.from && options.compression.packing == Packing::gzip && IndexCopy::is_possible(options.from->id(), *options.matrix);
  if (copies_) copied = std::make_unique<IndexCopy>(options.from->id(), *options.matrix, group_, budget);
  const hid_t type = options.value_type == ValueType::f32 ? file_type<float>() : file_type<double>();
  out_ =
      std::make_unique<SparseOut>(group_, shape, type, options.compression, budget, affordable_chunks(options, budget), std::move(copied));
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
