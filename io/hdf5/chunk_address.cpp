#include "io/hdf5/chunk_address.hpp"

#include "io/hdf5/handles.hpp"

namespace quern::io {
namespace {

void done(herr_t status, const char* what) { checked(status, "/", what); }
template <class Handle>
Handle made(hid_t id, const char* what) {
  return Handle(checked(id, "/", what));
}

// The user block is larger than all that follows: an address within it cannot count from the start of the file.
bool counts_from_user_block() {
  constexpr hsize_t user_block = 65536, length = 8;
  const auto creation = made<PropertyHandle>(H5Pcreate(H5P_FILE_CREATE), "prepare a file in memory");
  const auto access = made<PropertyHandle>(H5Pcreate(H5P_FILE_ACCESS), "prepare a file in memory");
  done(H5Pset_userblock(creation.get(), user_block), "give it a user block");
  done(H5Pset_fapl_core(access.get(), user_block, false), "keep it in memory");
  const auto file =
      made<FileHandle>(H5Fcreate("quern-chunk-address", H5F_ACC_TRUNC, creation.get(), access.get()), "create a file in memory");
  const auto chunked = made<PropertyHandle>(H5Pcreate(H5P_DATASET_CREATE), "prepare a dataset in memory");
  done(H5Pset_chunk(chunked.get(), 1, &length), "set its chunk");
  const auto space = made<SpaceHandle>(H5Screate_simple(1, &length, nullptr), "make its shape");
  const auto dataset =
      made<DatasetHandle>(H5Dcreate2(file.get(), "a", H5T_NATIVE_UCHAR, space.get(), H5P_DEFAULT, chunked.get(), H5P_DEFAULT), "create it");
  const unsigned char values[length] = {};
  done(H5Dwrite(dataset.get(), H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "write it");
  const hsize_t first = 0;
  unsigned mask = 0;
  haddr_t address = HADDR_UNDEF;
  hsize_t bytes = 0;
  done(H5Dget_chunk_info_by_coord(dataset.get(), &first, &mask, &address, &bytes), "ask for the address of its chunk");
  return address < user_block;
}

}  // namespace

std::int64_t chunk_address_base(std::int64_t user_block_bytes) {
  if (user_block_bytes == 0) return 0;
  static const bool from_user_block = counts_from_user_block();
  return from_user_block ? user_block_bytes : 0;
}

}  // namespace quern::io
