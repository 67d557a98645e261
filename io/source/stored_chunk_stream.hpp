// The decoded bytes of one gzip (or plain) stored chunk, in order and in pieces: for chunks larger than may be held.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "io/decode/chunk_decoder.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/source/file_bytes.hpp"

namespace quern::io {

constexpr std::size_t stored_chunk_read_bytes = 256 << 10;  // of the buffer a stream wants

// One user at a time. `dataset` and `file` outlive it.
class StoredChunkStream {
 public:
  struct Place {
    std::int64_t offset = 0;  // in the file
    std::size_t bytes = 0;    // 0: not allocated, the chunk is its fill value
    bool plain = false;       // stored without its filter
  };

  StoredChunkStream(const RawDataset& dataset, FileBytes& file) : dataset_(dataset), file_(file) {}

  // Calls HDF5; the rest does not.
  static Place locate(const RawDataset& dataset, std::span<const hsize_t> corner);

  void use(std::span<std::byte> buffer) { buffer_ = buffer; }  // for stored bytes
  void open(const Place& place);
  void read(std::span<std::byte> out);
  // After the last byte that is wanted: reads what the chunk still holds and checks its length and checksum.
  void finish();

 private:
  bool read_stored();
  [[noreturn]] void throw_short() const;

  const RawDataset& dataset_;
  FileBytes& file_;
  StreamingInflate inflate_;
  std::span<std::byte> buffer_;
  std::span<const std::byte> unread_;
  Place place_;
  std::size_t bytes_left_ = 0;  // stored, not yet read
  std::size_t unwanted_ = 0;    // decoded bytes not yet asked for
};

}  // namespace quern::io
