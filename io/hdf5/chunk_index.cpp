#include "io/hdf5/chunk_index.hpp"

namespace quern::io {

void visit_chunk_index(const Hdf5File& file, const StoredArray& array) {
  if (!array.chunk.empty()) visit_chunk_index(file.open_dataset(array.path).get(), array.dims, array.chunk);
}

void visit_chunk_index(hid_t dataset, const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& chunk) {
  for_each_chunk(dims, chunk, [dataset](const std::vector<hsize_t>& offset) {
    hsize_t bytes = 0;
    H5Dget_chunk_storage_size(dataset, offset.data(), &bytes);
  });
}

}  // namespace quern::io
