// Datasets chunked along their first dimension, written chunk by chunk with the packing done outside HDF5.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "io/h5ad_write/chunk_encoder.hpp"
#include "io/h5ad_write/element_types.hpp"
#include "io/h5ad_write/output_file.hpp"

namespace quern::io {

struct ChunkedShape {
  std::int64_t length = 0;
  std::int64_t chunk_length = 1;       // elements, at least 1
  std::vector<hsize_t> row_dims = {};  // not empty: what is called an element here is a row of these dimensions, which a chunk holds whole
  std::int64_t n_chunks() const { return (length + chunk_length - 1) / chunk_length; }
};

// The chunk length h5py would choose for a resizable dataset of `length` elements.
std::int64_t h5py_chunk_length(std::int64_t length, std::size_t element_bytes);

// Takes packed chunks. Serial, like all use of HDF5. Resizable in the file (maximal length unlimited), as anndata's are.
class ChunkedDataset {
 public:
  // `type` is a file type; a fixed-length string or compound is as good as a number. `parent` is a group or file.
  ChunkedDataset(hid_t parent, const std::string& parent_path, const std::string& name, hid_t type, const ChunkedShape& shape,
                 const Compression& compression);
  const ChunkedShape& shape() const { return shape_; }
  const std::string& path() const { return dataset_.object(); }
  hid_t id() const { return dataset_.get(); }
  std::size_t element_bytes() const { return element_bytes_; }  // of one value, whatever row_dims
  std::size_t row_bytes() const { return row_bytes_; }
  std::size_t chunk_bytes() const { return row_bytes_ * static_cast<std::size_t>(shape_.chunk_length); }
  // `packed` as ChunkEncoder made it with the dataset's compression from a whole chunk, but for the filters in `skipped_filters` (a bit
  // each). Each chunk once.
  void write_chunk(std::int64_t index, std::span<const std::byte> packed, std::uint32_t skipped_filters = 0);
  // Another length than was planned. Chunks beyond it go away.
  void resize(std::int64_t length);
  void close() { dataset_.close(); }
  OutputDataset take() { return std::move(dataset_); }

 private:
  ChunkedShape shape_;
  std::size_t element_bytes_, row_bytes_;
  OutputDataset dataset_;
};

// Appends elements in order and packs several chunks at a time on TBB's threads. The calls are serial and come from one thread at a
// time; the bytes written do not depend on how the elements are divided into calls, or on `n_parallel`.
class ChunkAppender {
 public:
  // Keeps n_parallel (>= 1) chunks before it packs them.
  ChunkAppender(ChunkedDataset dataset, const Compression& compression, int n_parallel);
  // What a ChunkAppender keeps, for the budget.
  static std::size_t memory_bytes(std::size_t chunk_bytes, const Compression& compression, int n_parallel);

  void append(std::span<const std::byte> elements);  // whole elements
  // Several datasets whose elements come side by side, in chunks of as many elements, so that what is written does not depend on
  // n_parallel either: fill() each in turn with as many elements, at most the last one's room(), then write_full() what is full; in the end
  // write_rest(). write_full() may run beside fill() and room().
  std::size_t room() const;  // elements
  void fill(std::span<const std::byte> elements);
  static void write_full(std::span<ChunkAppender* const> appenders);
  static void write_rest(std::span<ChunkAppender* const> appenders, std::int64_t length);  // cuts them at `length`, closes them
  template <class T>
  void append_values(std::span<const T> values) {
    append(std::as_bytes(values));
  }
  // Writes the rest and closes. Throws internal error when the number of elements is not the dataset's length.
  void finish();
  OutputDataset finish_open();        // the same, without closing the dataset
  void close() { dataset_.close(); }  // of a dataset that is given up
  const ChunkedDataset& dataset() const { return dataset_; }
  // Called after each chunk is written, with the elements that have then been written (or room for them): the place in the order of writes
  // for what has to lie in the file at the same place whatever n_parallel is.
  void after_chunk(std::function<void(std::int64_t elements)> call) { after_chunk_ = std::move(call); }

 private:
  struct Slot {
    std::vector<std::byte> plain, packed;
    std::size_t packed_bytes = 0;
    std::unique_ptr<ChunkEncoder> encoder;  // null: stored plain
  };
  struct Waiting {          // what whoever fills shares with whoever writes
    std::mutex is_writing;  // that of the first of several
    std::atomic<std::size_t> n_full = 0;
  };
  void write_full();
  Slot& slot_of(std::int64_t chunk) { return slots_[static_cast<std::size_t>(chunk) % slots_.size()]; }
  void write_next();
  void complete_last();
  ChunkedDataset dataset_;
  std::vector<Slot> slots_;  // chunk after chunk, round and round
  std::unique_ptr<Waiting> waiting_ = std::make_unique<Waiting>();
  std::int64_t filled_chunk_ = 0;  // the one being filled
  std::size_t filled_bytes_ = 0, total_bytes_ = 0;
  std::int64_t next_chunk_ = 0;  // to be written
  std::function<void(std::int64_t)> after_chunk_;
};

}  // namespace quern::io
