// The index of a chunked dataset.
#pragma once
#include <cstdint>
#include <vector>

#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

// Looks every stored chunk up, so that a damaged index shows itself. About 0.2 us a chunk.
void visit_chunk_index(const Hdf5File& file, const StoredArray& array);
// `chunk` is empty for what is not chunked.
void visit_chunk_index(hid_t dataset, const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& chunk);

// Calls use(offset) for the corner of every chunk, in order.
template <class Use>
void for_each_chunk(const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& chunk, Use use) {
  const std::size_t rank = dims.size();
  if (chunk.size() != rank || rank == 0) return;
  std::vector<hsize_t> offset(rank, 0);
  for (std::size_t axis = 0; axis < rank; ++axis)
    if (dims[axis] == 0) return;
  for (;;) {
    use(offset);
    std::size_t axis = rank;
    while (axis > 0) {
      --axis;
      offset[axis] += static_cast<hsize_t>(chunk[axis]);
      if (offset[axis] < static_cast<hsize_t>(dims[axis])) break;
      offset[axis] = 0;
      if (axis == 0) return;
    }
  }
}

}  // namespace quern::io
