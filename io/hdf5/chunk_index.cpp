#include "io/hdf5/chunk_index.hpp"

#include <vector>

namespace quern::io {

void visit_chunk_index(const Hdf5File& file, const StoredArray& array) {
  const std::size_t rank = array.dims.size();
  if (array.chunk.size() != rank || rank == 0) return;
  const DatasetHandle dataset = file.open_dataset(array.path);
  std::vector<hsize_t> offset(rank, 0);
  for (std::size_t axis = 0; axis < rank; ++axis)
    if (array.dims[axis] == 0) return;
  for (;;) {
    hsize_t bytes = 0;
    H5Dget_chunk_storage_size(dataset.get(), offset.data(), &bytes);
    std::size_t axis = rank;
    while (axis > 0) {
      --axis;
      offset[axis] += static_cast<hsize_t>(array.chunk[axis]);
      if (offset[axis] < static_cast<hsize_t>(array.dims[axis])) break;
      offset[axis] = 0;
      if (axis == 0) return;
    }
  }
}

}  // namespace quern::io
