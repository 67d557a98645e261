// A dataset's shape, type and storage.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/file_info.hpp"
#include "io/hdf5/chunk_check.hpp"
#include "io/hdf5/file.hpp"
#include "io/hdf5/types.hpp"

namespace quern::io {

struct Dataset {
  DatasetHandle id;
  TypeHandle type;
  ElementType element;
  std::string path;
  std::vector<std::int64_t> dims;
  bool is_null = false;  // a NULL dataspace: no value at all (anndata's None)
  std::shared_ptr<ChunkCheck> check = std::make_shared<ChunkCheck>();

  std::int64_t count() const;  // elements; input_error("bad-shape") beyond 2^62
};

Dataset open_described(const Hdf5File& file, const std::string& path);
Dataset describe(DatasetHandle id, const std::string& path);
std::vector<std::string> compound_fields(const Dataset& dataset);  // empty when it is no compound
// The same with their types: of an array of values the type of these.
std::vector<std::pair<std::string, ElementType>> compound_members(const Dataset& dataset);
// What `info` prints. bytes_on_disk stays 0 when the file does not measure storage.
StoredArray stored_array(const Hdf5File& file, const Dataset& dataset);
std::vector<std::string> filter_names(hid_t dataset);  // in the order they are applied when writing
std::vector<std::int64_t> chunk_dims(hid_t dataset);   // empty: contiguous or compact
// A part of a dataset, by the first element and the count on each axis; without axes: all of it, or a scalar.
struct Box {
  std::vector<hsize_t> start, count;
};
// Reads values of `type` one after the other into `to`, once their stored chunks are known to be good. Throws input_error: "corrupt-chunk",
// "bad-checksum", else read_failure, of `where`.
void read_values(const Dataset& dataset, hid_t type, const Box& box, hid_t transfer, void* to, const std::string& where);
// Why H5Dread failed: "unknown-filter" naming it, else as hdf5_failure.
Error read_failure(hid_t dataset, const std::string& where);
// The one-dimensional integer dataset `path` of at most `limit` elements.
std::vector<std::int64_t> read_small_integers(const Hdf5File& file, const std::string& path, std::int64_t limit);

}  // namespace quern::io
