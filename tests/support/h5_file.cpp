#include "tests/support/h5_file.hpp"

#include <blosc.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "tests/support/encode.hpp"

namespace quern::test {
namespace {

template <class T>
T must(T result) {
  if (result < 0) throw std::runtime_error("HDF5 failed in a test's fixture");
  return result;
}

Bytes as_stored(std::vector<double> values, hid_t type) {
  const io::TypeHandle memory(H5Tget_class(type) == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type));
  const std::size_t bytes = H5Tget_size(type), n = values.size();
  values.resize(n + 1);
  must(H5Tconvert(H5T_NATIVE_DOUBLE, memory.get(), n, values.data(), nullptr, H5P_DEFAULT));
  Bytes out(n * bytes);
  if (!out.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

Bytes filtered(Bytes data, const Stored& how, std::size_t element_bytes) {
  for (const int id : how.filters) switch (id) {
      case 1:
        data = deflate(data);
        break;
      case 2:
        data = shuffle(data, element_bytes);
        break;
      case 3:
        data = with_fletcher32(data);
        break;
      case 32000:
        data = lzf(data);
        break;
      case 32001:
        data = blosc(data, "lz4", BLOSC_SHUFFLE, element_bytes);
        break;
      case 32004:
        data = lz4(data, 512);
        break;
      case 32015:
        data = zstd(data);
        break;
      default:
        throw std::runtime_error("no encoder for this filter");
    }
  return data;
}

io::PropertyHandle creation_properties(const Stored& how) {
  io::PropertyHandle properties(must(H5Pcreate(H5P_DATASET_CREATE)));
  must(H5Pset_fill_value(properties.get(), how.type, as_stored({how.fill}, how.type).data()));
  if (how.chunk.empty()) return properties;
  must(H5Pset_chunk(properties.get(), static_cast<int>(how.chunk.size()), how.chunk.data()));
  const auto bytes = static_cast<unsigned>(H5Tget_size(how.type));
  for (const int id : how.filters) {
    if (id == 2 || id == 3 || id == 5) {
      must(id == 2 ? H5Pset_shuffle(properties.get()) : id == 3 ? H5Pset_fletcher32(properties.get()) : H5Pset_nbit(properties.get()));
    } else if (id == 6) {
      must(H5Pset_scaleoffset(properties.get(), H5Z_SO_INT, 0));
    } else {
      must(H5Pset_filter(properties.get(), id, H5Z_FLAG_OPTIONAL, 1, &bytes));
    }
  }
  return properties;
}

// The chunk whose corner is `at`, padded with zeros beyond the dataset.
Bytes cut_chunk(const Bytes& data, const Stored& how, const std::vector<hsize_t>& at, std::size_t element_bytes) {
  const std::size_t rank = how.dims.size();
  const hsize_t rows = how.chunk[0], cols = rank > 1 ? how.chunk[1] : 1, n_cols = rank > 1 ? how.dims[1] : 1;
  const hsize_t first_col = rank > 1 ? at[1] : 0, copied = std::min(cols, n_cols - first_col);
  Bytes chunk(rows * cols * element_bytes);
  for (hsize_t r = 0; r < rows && at[0] + r < how.dims[0]; ++r)
    std::memcpy(chunk.data() + r * cols * element_bytes, data.data() + ((at[0] + r) * n_cols + first_col) * element_bytes,
                copied * element_bytes);
  return chunk;
}

void write_chunks(hid_t dataset, const Stored& how, const Bytes& data) {
  const std::size_t element_bytes = H5Tget_size(how.type);
  const hsize_t n_cols = how.dims.size() > 1 ? how.dims[1] : 1, step = how.chunk.size() > 1 ? how.chunk[1] : 1;
  std::size_t number = 0;
  for (hsize_t row = 0; row < how.dims[0]; row += how.chunk[0])
    for (hsize_t col = 0; col < n_cols; col += step, ++number) {
      if (std::find(how.leave_out.begin(), how.leave_out.end(), number) != how.leave_out.end()) continue;
      std::vector<hsize_t> at{row};
      if (how.dims.size() > 1) at.push_back(col);
      const Bytes chunk = cut_chunk(data, how, at, element_bytes);
      const bool masked = how.mask_every_other && number % 2 == 1;
      const Bytes stored = masked ? chunk : filtered(chunk, how, element_bytes);
      const std::uint32_t mask = masked ? (1U << how.filters.size()) - 1 : 0;
      must(H5Dwrite_chunk(dataset, H5P_DEFAULT, mask, at.data(), stored.size(), stored.data()));
    }
}

}  // namespace

TemporaryPath::TemporaryPath(const std::string& suffix) {
  static int count = 0;
  const auto name = "quern-test-" + std::to_string(getpid()) + "-" + std::to_string(count++) + suffix;
  path_ = (std::filesystem::temp_directory_path() / name).string();
}
TemporaryPath::~TemporaryPath() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

H5File::H5File(hsize_t user_block) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const io::PropertyHandle properties(must(H5Pcreate(H5P_FILE_CREATE)));
  must(H5Pset_userblock(properties.get(), user_block));
  file_ = io::FileHandle(must(H5Fcreate(path().c_str(), H5F_ACC_TRUNC, properties.get(), H5P_DEFAULT)));
}

void H5File::add_group(const std::string& name) {
  const io::GroupHandle group(must(H5Gcreate2(file_.get(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
}

void H5File::replace_chunk(const std::string& name, const std::vector<hsize_t>& corner, const Bytes& stored) {
  const io::DatasetHandle dataset(must(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT)));
  must(H5Dwrite_chunk(dataset.get(), H5P_DEFAULT, 0, corner.data(), stored.size(), stored.data()));
}

void H5File::add(const std::string& name, const Stored& how, const std::vector<double>& values) {
  const std::vector<hsize_t> unlimited(how.dims.size(), H5S_UNLIMITED);  // as h5py's resizable datasets; allows chunks beyond the extent
  const io::SpaceHandle space(
      must(H5Screate_simple(static_cast<int>(how.dims.size()), how.dims.data(), how.chunk.empty() ? nullptr : unlimited.data())));
  const io::PropertyHandle properties = creation_properties(how), links(must(H5Pcreate(H5P_LINK_CREATE)));
  must(H5Pset_create_intermediate_group(links.get(), 1));
  const io::DatasetHandle dataset(
      must(H5Dcreate2(file_.get(), name.c_str(), how.type, space.get(), links.get(), properties.get(), H5P_DEFAULT)));
  const bool by_library =
      how.chunk.empty() || std::any_of(how.filters.begin(), how.filters.end(), [](int id) { return id == 5 || id == 6; });
  const Bytes data = as_stored(values, how.type);
  if (!by_library) return write_chunks(dataset.get(), how, data);
  if (!values.empty()) must(H5Dwrite(dataset.get(), how.type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data.data()));
}

hid_t H5File::reopen() {
  file_ = {};
  file_ = io::FileHandle(must(H5Fopen(path().c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)));
  return file_.get();
}

hid_t half_type(bool big_endian) {
  const hid_t type = must(H5Tcopy(big_endian ? H5T_IEEE_F32BE : H5T_IEEE_F32LE));
  must(H5Tset_fields(type, 15, 10, 5, 0, 10));
  must(H5Tset_size(type, 2));
  must(H5Tset_ebias(type, 15));
  return type;
}

hid_t bool_type() {
  const hid_t type = must(H5Tenum_create(H5T_STD_I8LE));
  const std::int8_t no = 0, yes = 1;
  must(H5Tenum_insert(type, "FALSE", &no));
  must(H5Tenum_insert(type, "TRUE", &yes));
  return type;
}

}  // namespace quern::test
