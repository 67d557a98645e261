// Variable-length strings read from where they lie in the file, ten times as fast as through HDF5, which looks each of them up anew.
// On disk an element is a reference (length, address of a collection, number in it) into the file's global heap, whose collections hold
// many strings each (HDF5 File Format Specification 3.0, III.E "Global Heap"; VII "variable-length types").
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/decode/chunk_decoder.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/source/file_bytes.hpp"

namespace quern::io {

// Collections of the global heap; the last few that were used are kept, as far as 4 MiB go and at least one.
class GlobalHeap {
 public:
  // `base`: the file address of HDF5's address 0 (the size of the user block).
  GlobalHeap(const std::string& path, const std::string& object, std::int64_t base);

  // The bytes of one object, valid until the next call. Throws input_error("corrupt-hdf5") when there is no such object,
  // resource_error("text-too-long") when it is larger than any string should be.
  std::span<const char> object(std::uint64_t address, std::uint32_t number);
  FileBytes& file() { return file_; }

 private:
  struct Collection {
    std::uint64_t address = UINT64_MAX;
    std::vector<char> bytes;
    std::vector<std::uint32_t> starts;  // by number; 0: none
  };
  const Collection& collection(std::uint64_t address);
  void load(std::uint64_t address, Collection& to);
  void make_room(std::size_t bytes);  // forgets what is kept where that and so much more would be too much
  Error corrupt(const std::string& what) const;

  FileBytes file_;
  std::string object_;
  std::int64_t base_, file_bytes_;
  std::array<Collection, 8> kept_;
  std::size_t newest_ = 0, next_ = 0;
};

// The strings of one dataset of one dimension.
class HeapStrings {
 public:
  // Nothing where the file's layout, filters or sizes are none of the usual ones: HDF5 must read it then.
  static std::unique_ptr<HeapStrings> open(const Hdf5File& file, const Dataset& dataset);

  // Strings range.first .. range.last, as UTF-8, cut at their first zero byte.
  void read(RowRange range, std::vector<std::string>& out);

 private:
  struct Place {
    std::int64_t contiguous_offset = -1;
    std::int64_t chunk_length = 0;  // 0: contiguous
    FilterPipeline filters;
  };
  static std::optional<Place> place(const Dataset& dataset);
  HeapStrings(const Dataset& dataset, Place place, const std::string& path, std::int64_t base);
  // The references of elements first ..; as many as come at once, at most `count`.
  std::span<const std::byte> references(std::int64_t first, std::int64_t count);
  void load_chunk(std::int64_t index);

  hid_t dataset_;
  std::string where_;
  Place place_;
  GlobalHeap heap_;
  std::vector<std::byte> buffer_, stored_;
  std::unique_ptr<ChunkDecoder> decoder_;
  std::int64_t chunk_index_ = -1;
};

}  // namespace quern::io
