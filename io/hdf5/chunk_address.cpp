#include "io/hdf5/chunk_address.hpp"

#include "io/hdf5/handles.hpp"

namespace quern::io {
namespace {

void done(herr_t status) { checked(status, "/", "ask for the address of a chunk"); }
template <class Handle>
Handle made(hid_t id) {
  return Handle(checked(id, "/", "ask for the address of a chunk"));
}

// The user block is larger than all that follows: an address within it cannot count from the start of the file.
bool counts_from_user_block() {
  constexpr hsize_t user_block = 65536, length = 8;
  const auto creation = made<PropertyHandle>(H5Pcreate(H5P_FILE_CREATE));
  const auto access = made<PropertyHandle>(H5Pcreate(H5P_FILE_ACCESS));
  done(H5Pset_userblock(creation.get(), user_block));
  done(H5Pset_fapl_core(access.get(), user_block, false));
  const auto file = made<FileHandle>(H5Fcreate("quern-chunk-address", H5F_ACC_TRUNC, creation.get(), access.get()));
  const auto chunked = made<PropertyHandle>(H5Pcreate(H5P_DATASET_CREATE));
  done(H5Pset_chunk(chunked.get(), 1, &length));
  const auto space = made<SpaceHandle>(H5Screate_simple(1, &length, nullptr));
  const auto dataset =
      made<DatasetHandle>(H5Dcreate2(file.get(), "a", H5T_NATIVE_UCHAR, space.get(), H5P_DEFAULT, chunked.get(), H5P_DEFAULT));
  const unsigned char values[length] = {};
  done(H5Dwrite(dataset.get(), H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
  const hsize_t first = 0;
  unsigned mask = 0;
  haddr_t address = HADDR_UNDEF;
  hsize_t bytes = 0;
  done(H5Dget_chunk_info_by_coord(dataset.get(), &first, &mask, &address, &bytes));
  return address < user_block;
}

}  // namespace

std::int64_t chunk_address_base(std::int64_t user_block_bytes) {
  if (user_block_bytes == 0) return 0;
  static const bool from_user_block = counts_from_user_block();
  return from_user_block ? user_block_bytes : 0;
}

}  // namespace quern::io
