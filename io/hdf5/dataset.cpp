#include "io/hdf5/dataset.hpp"

#include <array>
#include <limits>
#include <utility>

#include "io/decode/filter_id.hpp"
#include "io/hdf5/quiet.hpp"

namespace quern::io {
namespace {

std::vector<std::int64_t> signed_dims(const std::vector<hsize_t>& dims, const std::string& path) {
  std::vector<std::int64_t> out;
  for (const hsize_t dim : dims) {
    if (dim > hsize_t{1} << 62) throw input_error("bad-shape", path, "a dimension of " + std::to_string(dim));
    out.push_back(static_cast<std::int64_t>(dim));
  }
  return out;
}

}  // namespace

std::int64_t Dataset::count() const {
  constexpr std::int64_t most = std::int64_t{1} << 62;
  std::int64_t product = is_null ? 0 : 1;
  for (const std::int64_t dim : dims) {
    if (dim != 0 && product > most / dim) throw input_error("bad-shape", path, "the shape claims more than 2^62 elements");
    product *= dim;
  }
  return product;
}

Dataset open_described(const Hdf5File& file, const std::string& path) { return describe(file.open_dataset(path), path); }

Dataset describe(DatasetHandle id, const std::string& path) {
  Dataset out;
  out.id = std::move(id);
  out.path = path;
  out.type = TypeHandle(checked(H5Dget_type(out.id.get()), path, "read the dataset's type"));
  out.element = element_type(out.type.get());
  const SpaceHandle space(checked(H5Dget_space(out.id.get()), path, "read the dataset's shape"));
  out.is_null = H5Sget_simple_extent_type(space.get()) == H5S_NULL;
  const int rank = out.is_null ? 0 : H5Sget_simple_extent_ndims(space.get());
  if (rank < 0) throw hdf5_failure(path, "count the dataset's dimensions");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  if (rank > 0 && H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr) < 0)
    throw hdf5_failure(path, "read the dataset's dimensions");
  out.dims = signed_dims(dims, path);
  return out;
}

std::vector<std::string> compound_fields(const Dataset& dataset) {
  std::vector<std::string> names;
  const int count = dataset.element.kind == TypeClass::compound ? H5Tget_nmembers(dataset.type.get()) : 0;
  for (int i = 0; i < count; ++i) {
    char* name = H5Tget_member_name(dataset.type.get(), static_cast<unsigned>(i));
    names.emplace_back(name == nullptr ? "" : name);
    H5free_memory(name);
  }
  return names;
}

std::vector<std::pair<std::string, ElementType>> compound_members(const Dataset& dataset) {
  std::vector<std::pair<std::string, ElementType>> members;
  for (const std::string& name : compound_fields(dataset)) {
    const TypeHandle type(H5Tget_member_type(dataset.type.get(), static_cast<unsigned>(members.size())));
    const TypeHandle base(H5Tget_class(type.get()) == H5T_ARRAY ? H5Tget_super(type.get()) : H5Tcopy(type.get()));
    members.emplace_back(name, element_type(base.get()));
  }
  return members;
}

std::vector<std::string> filter_names(hid_t dataset) {
  const PropertyHandle creation(checked(H5Dget_create_plist(dataset), "", "read the dataset's layout"));
  std::vector<std::string> names;
  const int count = H5Pget_nfilters(creation.get());
  if (count < 0) throw hdf5_failure("", "count the filters");
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t n_params = 0;
    names.push_back(filter_name(H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &n_params, nullptr, 0, nullptr, &config)));
  }
  return names;
}

std::vector<std::int64_t> chunk_dims(hid_t dataset) {
  const PropertyHandle creation(checked(H5Dget_create_plist(dataset), "", "read the dataset's layout"));
  std::array<hsize_t, H5S_MAX_RANK> dims{};
  const int rank = H5Pget_chunk(creation.get(), H5S_MAX_RANK, dims.data());  // fails when it is not chunked
  return {dims.begin(), dims.begin() + (rank < 0 ? 0 : rank)};
}

StoredArray stored_array(const Hdf5File& file, const Dataset& dataset) {
  StoredArray out;
  out.path = dataset.path;
  out.type = dataset.element.name;
  out.big_endian = dataset.element.big_endian;
  out.dims = dataset.dims;
  out.chunk = chunk_dims(dataset.id.get());
  out.filters = filter_names(dataset.id.get());
  if (file.measures_storage()) out.bytes_on_disk = static_cast<std::int64_t>(H5Dget_storage_size(dataset.id.get()));
  return out;
}

Error read_failure(hid_t dataset, const std::string& where) {
  Error failure = hdf5_failure(where, "read the values");
  const PropertyHandle creation(H5Dget_create_plist(dataset));
  const int count = creation ? H5Pget_nfilters(creation.get()) : 0;
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t n_params = 0;
    const H5Z_filter_t id = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &n_params, nullptr, 0, nullptr, &config);
    if (id >= 0 && H5Zfilter_avail(id) <= 0)
      return input_error("unknown-filter", where, "stored with the filter " + filter_name(id) + ", which is not built in",
                         "write the file again with gzip or without compression");
  }
  return failure;
}

void read_values(const Dataset& dataset, hid_t type, const Box& box, hid_t transfer, void* to, const std::string& where) {
  hid_t memory_space = H5S_ALL, file_space = H5S_ALL;
  SpaceHandle selection, buffer;
  if (!box.start.empty()) {
    selection = SpaceHandle(checked(H5Dget_space(dataset.id.get()), where, "read the shape"));
    buffer = SpaceHandle(checked(H5Screate_simple(static_cast<int>(box.count.size()), box.count.data(), nullptr), where, "select rows"));
    if (H5Sselect_hyperslab(selection.get(), H5S_SELECT_SET, box.start.data(), nullptr, box.count.data(), nullptr) < 0)
      throw input_error("corrupt-hdf5", where, "HDF5 could not select rows");
    memory_space = buffer.get();
    file_space = selection.get();
    dataset.check->box(dataset.id.get(), where, box.start, box.count);
  } else if (!dataset.dims.empty()) {
    const std::vector<hsize_t> start(dataset.dims.size(), 0), count(dataset.dims.begin(), dataset.dims.end());
    dataset.check->box(dataset.id.get(), where, start, count);
  }
  keep_hdf5_quiet();
  if (H5Dread(dataset.id.get(), type, memory_space, file_space, transfer, to) < 0) throw read_failure(dataset.id.get(), where);
}

std::vector<std::int64_t> read_small_integers(const Hdf5File& file, const std::string& path, std::int64_t limit) {
  const Dataset dataset = open_described(file, path);
  if (dataset.element.kind != TypeClass::integer) throw input_error("bad-type", path, "expected integers, found " + dataset.element.name);
  if (dataset.dims.size() != 1 || dataset.count() > limit) throw input_error("bad-shape", path, "expected a list of few numbers");
  std::vector<std::int64_t> values(static_cast<std::size_t>(dataset.count()));
  if (!values.empty()) read_values(dataset, H5T_NATIVE_INT64, {}, H5P_DEFAULT, values.data(), path);
  return values;
}

}  // namespace quern::io
