#include "datasets/layouts.hpp"

namespace quern::datasets {
namespace {

constexpr std::int64_t kLongestTableChunk = 1 << 16;  // elements
constexpr int kTableChunks = 4;                       // packed at once

template <class T>
void write_indptr(const WriteContext& context, const io::OutputGroup& group) {
  const io::Compression& how = context.content.spec.compression;
  const std::int64_t length = context.plan.n_cells + 1;
  const io::ChunkedShape shape{length, std::min({context.plan.chunk_length, length, kLongestTableChunk})};
  io::ChunkAppender indptr(io::ChunkedDataset(group.get(), group.object(), "indptr", io::file_type<T>(), shape, how), how, kTableChunks);
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

template <class T>
io::ChunkedDataset make_dataset(const WriteContext& context, const io::OutputGroup& group, const std::string& name) {
  return {group.get(),
          group.object(),
          name,
          io::file_type<T>(),
          {context.plan.nnz, context.plan.chunk_length},
          context.content.spec.compression};
}

}  // namespace

std::size_t table_bytes(const GenerateSpec& spec) {
  constexpr std::size_t kCellBytes = 96;                    // a cell, its name and its numbers, in a block
  constexpr std::size_t kHdf5Bytes = std::size_t{8} << 20;  // metadata and strings on their way
  return kHdf5Bytes + kCellBlock * kCellBytes +
         io::ChunkAppender::memory_bytes(static_cast<std::size_t>(kLongestTableChunk) * 8, spec.compression, kTableChunks);
}

SparseOutput::SparseOutput(const WriteContext& context, const io::OutputGroup& group, bool float_data, bool wide_indices, bool wide_indptr)
    : data_(float_data ? make_dataset<float>(context, group, "data") : make_dataset<std::int32_t>(context, group, "data")),
      indices_(wide_indices ? make_dataset<std::int64_t>(context, group, "indices")
                            : make_dataset<std::int32_t>(context, group, "indices")) {
  wide_indptr ? write_indptr<std::int64_t>(context, group) : write_indptr<std::int32_t>(context, group);
}

void SparseOutput::close() {
  data_.close();
  indices_.close();
}

}  // namespace quern::datasets
