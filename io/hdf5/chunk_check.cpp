#include "io/hdf5/chunk_check.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "io/decode/corrupt_chunk.hpp"
#include "io/hdf5/handles.hpp"
#include "io/hdf5/quiet.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/hdf5/types.hpp"

namespace quern::io {
namespace {

// Bytes that what points into the heap (of text: a length, an address, a number) takes more in the file than in memory.
std::ptrdiff_t more_in_file(hid_t type, std::ptrdiff_t reference_bytes, const std::string& path) {
  switch (H5Tget_class(type)) {
    case H5T_NO_CLASS:
      throw hdf5_failure(path, "look at the type");
    case H5T_STRING:
      return is_variable_text(type) ? reference_bytes - static_cast<std::ptrdiff_t>(sizeof(char*)) : 0;
    case H5T_VLEN:
      return reference_bytes - static_cast<std::ptrdiff_t>(sizeof(hvl_t));
    case H5T_ARRAY: {
      const TypeHandle base(checked(H5Tget_super(type), path, "read the type of a field"));
      return more_in_file(base.get(), reference_bytes, path) *
             static_cast<std::ptrdiff_t>(H5Tget_size(type) / std::max<std::size_t>(1, H5Tget_size(base.get())));
    }
    case H5T_COMPOUND: {
      std::ptrdiff_t more = 0;
      const int n_members = H5Tget_nmembers(type);
      if (n_members < 0) throw hdf5_failure(path, "count the fields of a type");
      for (int i = 0; i < n_members; ++i) {
        const TypeHandle member(checked(H5Tget_member_type(type, static_cast<unsigned>(i)), path, "read the type of a field"));
        more += more_in_file(member.get(), reference_bytes, path);
      }
      return more;
    }
    default:
      return 0;
  }
}

std::size_t stored_element_bytes(hid_t dataset, const std::string& path) {
  const TypeHandle type(checked(H5Dget_type(dataset), path, "read the dataset's type"));
  const FileHandle file(checked(H5Iget_file_id(dataset), path, "find the file of the dataset"));
  const PropertyHandle properties(checked(H5Fget_create_plist(file.get()), path, "read the creation properties of the file"));
  std::size_t address_bytes = 0, length_bytes = 0;
  if (H5Pget_sizes(properties.get(), &address_bytes, &length_bytes) < 0) throw hdf5_failure(path, "read the sizes of addresses");
  const std::size_t bytes = H5Tget_size(type.get());
  if (bytes == 0) throw hdf5_failure(path, "tell the size of its values");
  return bytes + static_cast<std::size_t>(more_in_file(type.get(), static_cast<std::ptrdiff_t>(4 + address_bytes + 4), path));
}

}  // namespace

void refuse_other_sizes(hid_t dataset, std::size_t chunk_bytes, const std::string& path) {
  keep_hdf5_quiet();
  hsize_t n_chunks = 0;
  const SpaceHandle space(checked(H5Dget_space(dataset), path, "read the dataset's shape"));
  if (H5Dget_num_chunks(dataset, space.get(), &n_chunks) < 0) throw hdf5_failure(path, "count the stored chunks");
  const hsize_t stored = H5Dget_storage_size(dataset);
  if (stored != n_chunks * chunk_bytes)
    throw corrupt_chunk(path, std::to_string(n_chunks) + " stored chunks take " + std::to_string(stored) + " bytes, expected " +
                                  std::to_string(chunk_bytes) + " each");
}

void ChunkCheck::prepare(hid_t dataset, const std::string& path, std::size_t rank) {
  prepared_ = true;
  const PropertyHandle properties(H5Dget_create_plist(dataset));
  const H5D_layout_t layout = H5Pget_layout(properties.get());
  if (layout < 0) throw hdf5_failure(path, "read the dataset's layout");
  if (layout != H5D_CHUNKED) return;
  std::vector<hsize_t> dims(rank);
  if (H5Pget_chunk(properties.get(), static_cast<int>(rank), dims.data()) < 0) throw hdf5_failure(path, "read the chunk shape");
  filters_ = read_filter_steps(properties.get(), path);
  filters_.element_bytes = filters_.chunk_bytes = stored_element_bytes(dataset, path);
  for (const hsize_t dim : dims) filters_.chunk_bytes *= static_cast<std::size_t>(dim);  // HDF5 opens none of more than 4 GiB
  if (filters_.steps.empty()) return refuse_other_sizes(dataset, filters_.chunk_bytes, path);
  if (can_decode(filters_)) chunk_dims_ = std::move(dims);
}

bool ChunkCheck::is_done(std::span<const hsize_t> chunk) const {
  for (std::size_t axis = 0; axis < chunk.size(); ++axis)
    if (first_.empty() || chunk[axis] < first_[axis] || chunk[axis] >= end_[axis]) return false;
  return true;
}

void ChunkCheck::decode(hid_t dataset, const std::string& path, std::span<const hsize_t> corner, Scratch& scratch) const {
  const std::size_t bytes = stored_chunk_bytes(dataset, corner, path), whole = filters_.chunk_bytes;
  if (bytes == 0) return;
  if (bytes > whole + whole / 64 + 4096)
    throw corrupt_chunk(path, "a stored chunk takes " + std::to_string(bytes) + " bytes, for " + std::to_string(whole) + " bytes of data");
  if (!scratch.decoder) scratch.decoder = std::make_unique<ChunkDecoder>(filters_);
  scratch.decoded.resize(whole);
  scratch.stored.resize(bytes);
  const std::uint32_t mask = read_stored_chunk(dataset, corner, scratch.stored, path);
  scratch.decoder->decode(scratch.stored, mask, scratch.decoded, path);
}

void ChunkCheck::box(hid_t dataset, const std::string& path, std::span<const hsize_t> start, std::span<const hsize_t> count) {
  sizes(dataset, path, start.size());
  if (chunk_dims_.empty() || std::find(count.begin(), count.end(), 0) != count.end()) return;
  const std::size_t rank = start.size();
  std::vector<hsize_t> first(rank), end(rank), corner(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    first[axis] = start[axis] / chunk_dims_[axis];
    end[axis] = (start[axis] + count[axis] - 1) / chunk_dims_[axis] + 1;
  }
  Scratch scratch;
  for (std::vector<hsize_t> chunk = first; chunk[0] < end[0];) {
    std::transform(chunk.begin(), chunk.end(), chunk_dims_.begin(), corner.begin(), std::multiplies<>());
    if (!is_done(chunk)) decode(dataset, path, corner, scratch);
    for (std::size_t axis = rank; axis-- > 0;) {
      if (++chunk[axis] < end[axis] || axis == 0) break;
      chunk[axis] = first[axis];
    }
  }
  first_ = std::move(first);
  end_ = std::move(end);
}

}  // namespace quern::io
