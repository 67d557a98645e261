// Stored chunks that HDF5 1.10 would take on trust. It reads on in memory behind a chunk that decodes to less than a chunk holds, and of
// chunks without a filter it tells the size that the layout promises, not the one it then reads.
#pragma once
#include <hdf5.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/decode/chunk_decoder.hpp"

namespace quern::io {

// Of one dataset, which every call must name; use it before each H5Dread.
class ChunkCheck {
 public:
  // input_error("corrupt-chunk", "bad-checksum") unless the stored chunks that hold elements of the box decode to whole ones. Each is
  // decoded and thrown away (memory while it does so: a stored chunk, a decoded one); those of the box before are not decoded again. Chunks
  // that only HDF5 can decode are not looked at.
  void box(hid_t dataset, const std::string& path, std::span<const hsize_t> start, std::span<const hsize_t> count);

  // Of chunks without a filter the sizes alone, as refuse_other_sizes; reads nothing of others.
  void sizes(hid_t dataset, const std::string& path, std::size_t rank) {
    if (!prepared_) prepare(dataset, path, rank);
  }

 private:
  struct Scratch {
    std::unique_ptr<ChunkDecoder> decoder;
    std::vector<std::byte> stored, decoded;
  };
  void prepare(hid_t dataset, const std::string& path, std::size_t rank);
  void decode(hid_t dataset, const std::string& path, std::span<const hsize_t> corner, Scratch& scratch) const;
  bool is_done(std::span<const hsize_t> chunk) const;

  bool prepared_ = false;
  std::vector<hsize_t> chunk_dims_;   // empty: nothing to decode
  std::vector<hsize_t> first_, end_;  // of the chunks that are known to be good
  FilterPipeline filters_;
};

// input_error("corrupt-chunk") unless the index of a chunked dataset without filters gives its chunks the size of a chunk, summed up. Walks
// the index twice.
void refuse_other_sizes(hid_t dataset, std::size_t chunk_bytes, const std::string& path);

}  // namespace quern::io
