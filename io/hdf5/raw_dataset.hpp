// A numeric dataset as it lies on disk: its type, its chunks and their filters, read without HDF5's own conversion and filter pipeline.
#pragma once
#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/decode/chunk_decoder.hpp"
#include "io/decode/stored_type.hpp"
#include "io/hdf5/chunk_check.hpp"
#include "io/hdf5/handles.hpp"

namespace quern::io {

// How the elements can be reached.
enum class Access {
  chunks,      // stored chunks read whole, decoded by ChunkDecoder
  contiguous,  // plain bytes in the file, read with pread
  library      // through H5Dread: layouts, filters and types that only HDF5 knows
};

// The steps alone: element_bytes and chunk_bytes are the caller's.
FilterPipeline read_filter_steps(hid_t creation_properties, const std::string& path);
// Bytes stored for the chunk of `dataset` that holds element `offset` (one coordinate a dimension, multiples of the chunk); 0: not
// allocated.
std::size_t stored_chunk_bytes(hid_t dataset, std::span<const hsize_t> offset, const std::string& path);
// Reads the stored bytes into `out` (of stored_chunk_bytes); returns the chunk's filter mask.
std::uint32_t read_stored_chunk(hid_t dataset, std::span<const hsize_t> offset, std::span<std::byte> out, const std::string& path);

// Serial: every call but the const accessors of already read facts touches HDF5.
class RawDataset {
 public:
  // Throws input_error: "missing-dataset", "bad-type" (not numeric), "bad-shape" (rank 0 or more than 2).
  RawDataset(hid_t file, const std::string& path);

  const std::string& path() const { return path_; }
  const StoredType& type() const { return type_; }
  const std::vector<hsize_t>& dims() const { return dims_; }
  const std::vector<hsize_t>& chunk_dims() const { return chunk_dims_; }  // of Access::chunks and chunked library access; else empty
  std::int64_t size() const;                                              // elements
  Access access() const { return access_; }
  const FilterPipeline& filters() const { return filters_; }
  std::int64_t contiguous_offset() const { return contiguous_offset_; }  // of the first byte in the file
  std::span<const std::byte> fill_value() const { return fill_value_; }  // one element

  std::size_t stored_chunk_bytes(std::span<const hsize_t> offset) const { return io::stored_chunk_bytes(dataset_.get(), offset, path_); }
  std::uint32_t read_chunk(std::span<const hsize_t> offset, std::span<std::byte> out) const {
    return read_stored_chunk(dataset_.get(), offset, out, path_);
  }
  // Where the chunk's stored bytes lie in the file; slow (walks the chunk index): for datasets of few chunks.
  std::int64_t chunk_file_offset(std::span<const hsize_t> offset) const;
  std::uint32_t chunk_filter_mask(std::span<const hsize_t> offset) const;  // as slow
  // Reads a block of elements in type() through HDF5, whatever the access.
  void read_block(std::span<const hsize_t> start, std::span<const hsize_t> count, std::byte* out) const;

 private:
  struct StoredPlace {
    std::int64_t file_offset = 0;
    unsigned filter_mask = 0;
  };
  StoredPlace stored_place(std::span<const hsize_t> offset) const;
  void read_layout(hid_t file);
  std::string path_;
  DatasetHandle dataset_;
  TypeHandle memory_type_;
  StoredType type_;
  std::vector<hsize_t> dims_, chunk_dims_;
  Access access_ = Access::library;
  FilterPipeline filters_;
  std::int64_t contiguous_offset_ = -1, chunk_base_ = 0;
  std::vector<std::byte> fill_value_;
  mutable ChunkCheck check_;
};

}  // namespace quern::io
