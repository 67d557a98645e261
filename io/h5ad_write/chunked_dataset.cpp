#include "io/h5ad_write/chunked_dataset.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "host/core/error.hpp"
#include "io/hdf5/quiet.hpp"

namespace quern::io {
namespace {

std::vector<hsize_t> with_rows(std::int64_t length, const ChunkedShape& shape) {
  std::vector<hsize_t> dims{static_cast<hsize_t>(length)};
  dims.insert(dims.end(), shape.row_dims.begin(), shape.row_dims.end());
  return dims;
}

std::size_t elements_of(const std::vector<hsize_t>& dims) {
  return static_cast<std::size_t>(std::accumulate(dims.begin(), dims.end(), hsize_t{1}, std::multiplies<>()));
}

std::size_t bytes_of(hid_t type, const std::string& path) {
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0) throw output_error("write-failed", path, "HDF5 could not tell the size of a type");
  return bytes;
}

bool is_plain(const Compression& compression) { return compression == Compression{}; }

OutputDataset create(hid_t parent, const std::string& path, const std::string& name, hid_t type, const ChunkedShape& shape,
                     const Compression& compression) {
  const int rank = 1 + static_cast<int>(shape.row_dims.size());
  std::vector<hsize_t> dims = with_rows(shape.length, shape), most = dims;
  most[0] = H5S_UNLIMITED;
  const SpaceHandle space(made(H5Screate_simple(rank, dims.data(), most.data()), path, "make its space"));
  const PropertyHandle creation = dataset_properties();
  done(H5Pset_chunk(creation.get(), rank, with_rows(shape.chunk_length, shape).data()), path, "set its chunk length");
  const std::size_t width = bytes_of(type, path);
  declare_filters(creation.get(), compression, width, width * elements_of(with_rows(shape.chunk_length, shape)), path);
  return {made(H5Dcreate2(parent, name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), path, "create the dataset"),
          path};
}

}  // namespace

std::int64_t h5py_chunk_length(std::int64_t length, std::size_t element_bytes) {
  constexpr double kBase = 16 * 1024, kLeast = 8 * 1024, kMost = 1024 * 1024;
  const double bytes = static_cast<double>(element_bytes);
  const double total = static_cast<double>(length > 0 ? length : 1024) * bytes;
  const double target = std::clamp(kBase * std::exp2(std::log10(total / (1024 * 1024))), kLeast, kMost);
  std::int64_t chunk = length > 0 ? length : 1024;
  // Halved until it is below the target, or within half of it and below the most.
  while (true) {
    const double size = static_cast<double>(chunk) * bytes;
    if ((size < target || std::abs(size - target) / target < 0.5) && size < kMost) return chunk;
    if (chunk == 1) return chunk;
    chunk = (chunk + 1) / 2;
  }
}

ChunkedDataset::ChunkedDataset(hid_t parent, const std::string& parent_path, const std::string& name, hid_t type, const ChunkedShape& shape,
                               const Compression& compression)
    : shape_(shape),
      element_bytes_(bytes_of(type, object_path(parent_path, name))),
      row_bytes_(std::accumulate(shape.row_dims.begin(), shape.row_dims.end(), element_bytes_, std::multiplies<>())),
      dataset_(create(parent, object_path(parent_path, name), name, type, shape, compression)) {}

void ChunkedDataset::write_chunk(std::int64_t index, std::span<const std::byte> packed, std::uint32_t skipped_filters) {
  keep_hdf5_quiet();
  std::vector<hsize_t> offset(1 + shape_.row_dims.size(), 0);
  offset[0] = static_cast<hsize_t>(index) * static_cast<hsize_t>(shape_.chunk_length);
  done(H5Dwrite_chunk(dataset_.get(), H5P_DEFAULT, skipped_filters, offset.data(), packed.size(), packed.data()), path(), "write a chunk");
}

void ChunkedDataset::resize(std::int64_t length) {
  shape_.length = length;
  done(H5Dset_extent(dataset_.get(), with_rows(length, shape_).data()), path(), "set its length");
}

ChunkAppender::ChunkAppender(ChunkedDataset dataset, const Compression& compression, int n_parallel) : dataset_(std::move(dataset)) {
  const std::size_t bytes = dataset_.chunk_bytes();
  slots_.resize(static_cast<std::size_t>(std::min<std::int64_t>(n_parallel, std::max<std::int64_t>(1, dataset_.shape().n_chunks()))));
  for (Slot& slot : slots_) {
    slot.plain.resize(bytes);
    if (is_plain(compression)) continue;
    slot.packed.resize(ChunkEncoder::packed_bound(compression, bytes));
    slot.encoder = std::make_unique<ChunkEncoder>(compression, bytes);
  }
}

std::size_t ChunkAppender::memory_bytes(std::size_t chunk_bytes, const Compression& compression, int n_parallel) {
  if (is_plain(compression)) return static_cast<std::size_t>(n_parallel) * chunk_bytes;
  return static_cast<std::size_t>(n_parallel) *
         (chunk_bytes + ChunkEncoder::packed_bound(compression, chunk_bytes) + ChunkEncoder::scratch_bytes(compression, chunk_bytes));
}

void ChunkAppender::append(std::span<const std::byte> elements) {
  const std::size_t width = dataset_.row_bytes();
  while (!elements.empty()) {
    const std::size_t taken = std::min(elements.size(), room() * width);
    fill(elements.first(taken));
    elements = elements.subspan(taken);
    if (room() == 0) write_full();
  }
}

std::size_t ChunkAppender::room() const {
  const std::size_t free_slots = slots_.size() - waiting_->n_full.load(std::memory_order_acquire);
  return (free_slots * dataset_.chunk_bytes() - filled_bytes_) / std::max<std::size_t>(dataset_.row_bytes(), 1);
}

void ChunkAppender::fill(std::span<const std::byte> elements) {
  total_bytes_ += elements.size();
  while (!elements.empty()) {
    const std::size_t taken = std::min(elements.size(), dataset_.chunk_bytes() - filled_bytes_);
    std::memcpy(slot_of(filled_chunk_).plain.data() + filled_bytes_, elements.data(), taken);
    elements = elements.subspan(taken);
    filled_bytes_ += taken;
    if (filled_bytes_ < dataset_.chunk_bytes()) continue;
    filled_bytes_ = 0;
    ++filled_chunk_;
    waiting_->n_full.fetch_add(1, std::memory_order_release);
  }
}

void ChunkAppender::write_rest(std::span<ChunkAppender* const> appenders, std::int64_t length) {
  for (ChunkAppender* appender : appenders) {
    appender->dataset_.resize(length);
    appender->complete_last();
  }
  write_full(appenders);
  for (ChunkAppender* appender : appenders) appender->close();
}

void ChunkAppender::write_full() {
  ChunkAppender* const self = this;
  write_full({&self, 1});
}

void ChunkAppender::write_full(std::span<ChunkAppender* const> appenders) {
  const std::scoped_lock lock(appenders.front()->waiting_->is_writing);
  // The last is filled last.
  const std::size_t n = appenders.back()->waiting_->n_full.load(std::memory_order_acquire);
  // Isolated: who waits here for the last chunk must not begin other work of the same pipeline meanwhile.
  if (n > 0 && appenders.front()->slots_.front().encoder)
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(std::size_t{0}, n * appenders.size(), [&](std::size_t i) {
        ChunkAppender& appender = *appenders[i % appenders.size()];
        Slot& slot = appender.slot_of(appender.next_chunk_ + static_cast<std::int64_t>(i / appenders.size()));
        slot.packed_bytes = slot.encoder->encode(slot.plain, appender.dataset_.element_bytes(), slot.packed);
      });
    });
  for (std::size_t slot = 0; slot < n; ++slot)
    for (ChunkAppender* appender : appenders) appender->write_next();
}

void ChunkAppender::write_next() {
  const Slot& full = slot_of(next_chunk_);
  const std::span<const std::byte> packed = std::span(full.packed).first(full.packed_bytes);
  dataset_.write_chunk(next_chunk_++, full.encoder ? packed : std::span<const std::byte>(full.plain));
  waiting_->n_full.fetch_sub(1, std::memory_order_release);
  if (after_chunk_) after_chunk_(next_chunk_ * dataset_.shape().chunk_length);
}

void ChunkAppender::finish() { finish_open().close(); }

OutputDataset ChunkAppender::finish_open() {
  complete_last();
  write_full();
  return dataset_.take();
}

void ChunkAppender::complete_last() {
  if (total_bytes_ != static_cast<std::size_t>(dataset_.shape().length) * dataset_.row_bytes())
    throw Error(ErrorKind::internal, "wrong-length", dataset_.path(), "the number of elements appended is not the dataset's length");
  if (filled_bytes_ == 0) return;
  std::vector<std::byte>& last = slot_of(filled_chunk_++).plain;
  std::fill(last.begin() + static_cast<std::ptrdiff_t>(filled_bytes_), last.end(), std::byte{0});
  filled_bytes_ = 0;
  waiting_->n_full.fetch_add(1, std::memory_order_release);
}

}  // namespace quern::io
