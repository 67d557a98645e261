#include "io/carry/rows_out.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

std::size_t value_bytes(hid_t type, const std::string& path) {
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0) throw_write_failed(path, "tell the size of its values");
  return bytes;
}

OutputDataset make_contiguous(const OutputGroup& parent, const std::string& name, const std::string& path, hid_t type, std::int64_t n_rows,
                              const std::vector<hsize_t>& row_dims) {
  std::vector<hsize_t> dims{static_cast<hsize_t>(n_rows)};
  dims.insert(dims.end(), row_dims.begin(), row_dims.end());
  const SpaceHandle space(made(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr), path, "make its space"));
  const PropertyHandle creation = dataset_properties();
  return {
      made(H5Dcreate2(parent.get(), name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), path, "create the dataset"),
      path};
}

}  // namespace

RowsOut::RowsOut(const OutputGroup& parent, const std::string& name, hid_t type, std::int64_t n_rows, std::vector<hsize_t> row_dims,
                 const Compression& compression, MemoryBudget& budget, int n_parallel)
    : path_(object_path(parent.object(), name)),
      n_rows_(n_rows),
      row_dims_(std::move(row_dims)),
      row_bytes_(std::accumulate(row_dims_.begin(), row_dims_.end(), value_bytes(type, path_), std::multiplies<>())),
      type_(made(H5Tcopy(type), path_, "copy its type")) {
  if (compression.packing == Packing::none || n_rows == 0 || row_bytes_ == 0) {
    contiguous_ = make_contiguous(parent, name, path_, type, n_rows, row_dims_);
    return;
  }
  const auto rows = static_cast<std::int64_t>(std::max<std::size_t>(1, chunk_bytes / row_bytes_));
  const ChunkedShape shape{n_rows, std::min(rows, n_rows), row_dims_};
  const std::size_t bytes = row_bytes_ * static_cast<std::size_t>(shape.chunk_length);
  claim_ = budget.claim("arrays that are carried over", ChunkAppender::memory_bytes(bytes, compression, n_parallel));
  packed_.emplace(ChunkedDataset(parent.get(), parent.object(), name, type, shape, compression), compression, n_parallel);
}

void RowsOut::append(std::span<const std::byte> rows) {
  if (rows.empty() || row_bytes_ == 0) return;
  if (packed_) return packed_->append(rows);
  std::vector<hsize_t> start{static_cast<hsize_t>(written_)}, count{static_cast<hsize_t>(rows.size() / row_bytes_)};
  start.resize(1 + row_dims_.size(), 0);
  count.insert(count.end(), row_dims_.begin(), row_dims_.end());
  const SpaceHandle file_space(made(H5Dget_space(contiguous_.get()), path_, "get its space"));
  done(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), path_, "select a range of it");
  const SpaceHandle memory_space(made(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), path_, "make a space"));
  done(H5Dwrite(contiguous_.get(), type_.get(), memory_space.get(), file_space.get(), H5P_DEFAULT, rows.data()), path_, "write values");
  written_ += static_cast<std::int64_t>(count[0]);
}

OutputDataset RowsOut::finish() {
  if (packed_) return packed_->finish_open();
  if (written_ != n_rows_ && row_bytes_ > 0)
    throw Error(ErrorKind::internal, "wrong-length", path_, "the number of rows written is not the dataset's length");
  return std::move(contiguous_);
}

}  // namespace quern::io
