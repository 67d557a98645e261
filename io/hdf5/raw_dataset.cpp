#include "io/hdf5/raw_dataset.hpp"

#include <algorithm>
#include <cstring>

#include "io/hdf5/chunk_address.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/hdf5/quiet.hpp"

namespace quern::io {
namespace {

// A standard type of our own that equals `type` in memory, or nothing when only HDF5 can convert it.
std::optional<StoredType> standard_type(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_ENUM) {
    const TypeHandle base(H5Tget_super(type));
    return standard_type(base.get());
  }
  const bool big = H5Tget_order(type) == H5T_ORDER_BE;
  const auto bytes = H5Tget_size(type);
  if (bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8) return std::nullopt;
  if (H5Tget_precision(type) != 8 * bytes) return std::nullopt;  // padded
  StoredType stored{StoredKind::real, static_cast<std::uint8_t>(bytes), big && bytes > 1};
  if (kind == H5T_INTEGER) {
    stored.kind = H5Tget_sign(type) == H5T_SGN_NONE ? StoredKind::unsigned_integer : StoredKind::signed_integer;
    return stored;
  }
  if (kind != H5T_FLOAT || bytes == 1) return std::nullopt;
  if (bytes == 2) {
    std::size_t sign = 0, exponent_at = 0, exponent_bits = 0, mantissa_at = 0, mantissa_bits = 0;
    H5Tget_fields(type, &sign, &exponent_at, &exponent_bits, &mantissa_at, &mantissa_bits);
    const bool half = exponent_bits == 5 && mantissa_bits == 10 && H5Tget_ebias(type) == 15;
    return half ? std::optional(stored) : std::nullopt;
  }
  const hid_t ieee = bytes == 4 ? (big ? H5T_IEEE_F32BE : H5T_IEEE_F32LE) : (big ? H5T_IEEE_F64BE : H5T_IEEE_F64LE);
  return H5Tequal(type, ieee) > 0 ? std::optional(stored) : std::nullopt;
}

bool is_numeric(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_ENUM) {
    const TypeHandle base(H5Tget_super(type));
    return H5Tget_class(base.get()) == H5T_INTEGER;
  }
  return kind == H5T_INTEGER || kind == H5T_FLOAT;
}

std::vector<hsize_t> extent(hid_t dataset, const std::string& path) {
  const SpaceHandle space(checked(H5Dget_space(dataset), path, "read the dataspace"));
  const int rank = H5Sget_simple_extent_ndims(space.get());
  if (rank < 1 || rank > 2)
    throw input_error("bad-shape", path, "has " + std::to_string(std::max(rank, 0)) + " dimensions, expected 1 or 2");
  std::vector<hsize_t> dims(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  return dims;
}

}  // namespace

FilterPipeline read_filter_steps(hid_t creation_properties, const std::string& path) {
  FilterPipeline filters;
  const int n_filters = H5Pget_nfilters(creation_properties);
  if (n_filters < 0) throw hdf5_failure(path, "count the filters");
  for (int i = 0; i < n_filters; ++i) {
    unsigned flags = 0, config = 0;
    unsigned params[64] = {};
    std::size_t n_params = 64;
    char name[8] = {};
    const H5Z_filter_t id =
        H5Pget_filter2(creation_properties, static_cast<unsigned>(i), &flags, &n_params, params, sizeof name, name, &config);
    if (id < 0) throw input_error("corrupt-hdf5", path, "has an unreadable filter pipeline");
    filters.steps.push_back({id, std::vector<unsigned>(params, params + std::min<std::size_t>(n_params, 64))});
  }
  return filters;
}

// HDF5 1.10 reports a chunk that is not allocated as an error, told from a damaged chunk index by its words alone.
std::size_t stored_chunk_bytes(hid_t dataset, std::span<const hsize_t> offset, const std::string& path) {
  keep_hdf5_quiet();
  hsize_t bytes = 0;
  if (H5Dget_chunk_storage_size(dataset, offset.data(), &bytes) >= 0) return static_cast<std::size_t>(bytes);
  bool unallocated = false;
  const auto look = [](unsigned, const H5E_error2_t* error, void* found) -> herr_t {
    if (error->desc && std::strstr(error->desc, "not allocated")) *static_cast<bool*>(found) = true;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look, &unallocated);
  if (!unallocated)
    throw input_error("corrupt-hdf5", path, "HDF5 could not find the stored chunk at " + std::to_string(offset[0]),
                      "the file is damaged: copy or download it again");
  return 0;
}

std::uint32_t read_stored_chunk(hid_t dataset, std::span<const hsize_t> offset, std::span<std::byte> out, const std::string& path) {
  keep_hdf5_quiet();
  std::uint32_t mask = 0;
  if (H5Dread_chunk(dataset, H5P_DEFAULT, offset.data(), &mask, out.data()) < 0)
    throw input_error("truncated", path, "the stored chunk at " + std::to_string(offset[0]) + " cannot be read",
                      "the file is truncated or damaged; fetch it again");
  return mask;
}

RawDataset::RawDataset(hid_t file, const std::string& path) : path_(path), dataset_(H5Dopen2(file, path.c_str(), H5P_DEFAULT)) {
  if (!dataset_) throw input_error("missing-dataset", path, "is not there or is not a dataset");
  dims_ = extent(dataset_.get(), path);
  const TypeHandle file_type(checked(H5Dget_type(dataset_.get()), path, "read the type"));
  if (!is_numeric(file_type.get())) throw input_error("bad-type", path, "does not hold numbers");
  if (const auto standard = standard_type(file_type.get())) {
    type_ = *standard;
    memory_type_ = TypeHandle(H5Tcopy(file_type.get()));
    read_layout(file);
    return;
  }
  // Odd widths and paddings: HDF5 converts, we see the nearest native type.
  const bool real = H5Tget_class(file_type.get()) == H5T_FLOAT;
  const bool is_unsigned = !real && H5Tget_sign(file_type.get()) == H5T_SGN_NONE;
  type_ = {real ? StoredKind::real : is_unsigned ? StoredKind::unsigned_integer : StoredKind::signed_integer, 8, false};
  memory_type_ = TypeHandle(H5Tcopy(real ? H5T_NATIVE_DOUBLE : is_unsigned ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64));
}

std::int64_t RawDataset::size() const {
  std::int64_t n = 1;
  for (const hsize_t d : dims_)
    if (__builtin_mul_overflow(n, static_cast<std::int64_t>(d), &n))
      throw input_error("bad-shape", path_, "claims more elements than any file can hold");
  return n;
}

void RawDataset::read_layout(hid_t file) {
  const PropertyHandle properties(checked(H5Dget_create_plist(dataset_.get()), path_, "read the creation properties"));
  const PropertyHandle file_properties(checked(H5Fget_create_plist(file), path_, "read the creation properties of the file"));
  hsize_t user_block = 0;
  if (H5Pget_userblock(file_properties.get(), &user_block) < 0) throw hdf5_failure(path_, "read the size of the user block");
  chunk_base_ = chunk_address_base(static_cast<std::int64_t>(user_block));
  fill_value_.resize(type_.bytes);
  H5Pget_fill_value(properties.get(), memory_type_.get(), fill_value_.data());  // zeros when there is none
  const H5D_layout_t layout = H5Pget_layout(properties.get());
  if (layout == H5D_CONTIGUOUS && H5Pget_external_count(properties.get()) == 0) {
    const haddr_t address = H5Dget_offset(dataset_.get());
    if (address == HADDR_UNDEF) return;
    access_ = Access::contiguous;
    contiguous_offset_ = static_cast<std::int64_t>(address);
  } else if (layout == H5D_CHUNKED) {
    chunk_dims_.resize(dims_.size());
    if (H5Pget_chunk(properties.get(), static_cast<int>(dims_.size()), chunk_dims_.data()) < 0)
      throw input_error("corrupt-hdf5", path_, "HDF5 could not read the chunk shape");
    filters_ = read_filter_steps(properties.get(), path_);
    filters_.element_bytes = type_.bytes;
    filters_.chunk_bytes = type_.bytes;
    for (const hsize_t d : chunk_dims_)
      if (__builtin_mul_overflow(filters_.chunk_bytes, static_cast<std::size_t>(d), &filters_.chunk_bytes))
        throw input_error("bad-shape", path_, "has an impossible chunk shape");
    if (can_decode(filters_)) access_ = Access::chunks;
    if (filters_.steps.empty()) refuse_other_sizes(dataset_.get(), filters_.chunk_bytes, path_);
  }
}

RawDataset::StoredPlace RawDataset::stored_place(std::span<const hsize_t> offset) const {
  StoredPlace place;
  haddr_t address = HADDR_UNDEF;
  hsize_t bytes = 0;
  H5Dget_chunk_info_by_coord(dataset_.get(), offset.data(), &place.filter_mask, &address, &bytes);
  if (address == HADDR_UNDEF)
    throw input_error("truncated", path_, "the stored chunk at " + std::to_string(offset[0]) + " cannot be found",
                      "the file is truncated or damaged; fetch it again");
  place.file_offset = static_cast<std::int64_t>(address) + chunk_base_;
  return place;
}

std::int64_t RawDataset::chunk_file_offset(std::span<const hsize_t> offset) const { return stored_place(offset).file_offset; }
std::uint32_t RawDataset::chunk_filter_mask(std::span<const hsize_t> offset) const { return stored_place(offset).filter_mask; }

void RawDataset::read_block(std::span<const hsize_t> start, std::span<const hsize_t> count, std::byte* out) const {
  keep_hdf5_quiet();
  check_.box(dataset_.get(), path_, start, count);
  const SpaceHandle space(checked(H5Dget_space(dataset_.get()), path_, "read the dataspace"));
  const SpaceHandle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr));
  if (H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr) < 0 ||
      H5Dread(dataset_.get(), memory_type_.get(), memory.get(), space.get(), H5P_DEFAULT, out) < 0)
    throw read_failure(dataset_.get(), path_);
}

}  // namespace quern::io
