#include "datasets/layouts.hpp"

namespace quern::datasets {
namespace {

template <class T>
void write_indptr(const WriteContext& context, const io::OutputGroup& group) {
  const io::Compression& how = context.content.spec.compression;
  const std::int64_t length = context.plan.n_cells + 1;
  const io::ChunkedShape shape{length, std::min(context.plan.chunk_length, length)};
  io::ChunkAppender indptr(io::ChunkedDataset(group.get(), group.object(), "indptr", io::file_type<T>(), shape, how), how, 4);
  std::vector<T> values{0};
  T end = 0;
  for_cell_blocks(context.content, [&](std::int64_t, const std::vector<Cell>& cells) {
    for (const Cell& cell : cells) values.push_back(end = static_cast<T>(end + cell.n_genes));
    indptr.append_values(std::span<const T>(values));
    values.clear();
  });
  indptr.append_values(std::span<const T>(values));  // the 0 of a set without cells
  indptr.finish();
}

io::ChunkedDataset make_dataset(const WriteContext& context, const io::OutputGroup& group, const std::string& name, hid_t type) {
  return {group.get(), group.object(), name, type, {context.plan.nnz, context.plan.chunk_length}, context.content.spec.compression};
}

}  // namespace

SparseOutput::SparseOutput(const WriteContext& context, const io::OutputGroup& group, bool float_data, bool wide_indices, bool wide_indptr)
    : data_(make_dataset(context, group, "data", float_data ? io::file_type<float>() : io::file_type<std::int32_t>())),
      indices_(make_dataset(context, group, "indices", wide_indices ? io::file_type<std::int64_t>() : io::file_type<std::int32_t>())) {
  wide_indptr ? write_indptr<std::int64_t>(context, group) : write_indptr<std::int32_t>(context, group);
}

void SparseOutput::close() {
  data_.close();
  indices_.close();
}

}  // namespace quern::datasets
