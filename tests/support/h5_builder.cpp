#include "tests/support/h5_builder.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace quern::test {
namespace {

hid_t valid(hid_t id) {
  if (id < 0) throw std::runtime_error("HDF5 refused what the test builds");
  return id;
}

hid_t variable_strings() {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

hid_t space_of(const std::vector<hsize_t>& dims) {
  return dims.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr);
}

void write_dataset(hid_t file, const std::string& path, hid_t stored, hid_t memory, const std::vector<hsize_t>& dims, const void* values) {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hid_t space = space_of(dims);
  const hid_t dataset = valid(H5Dcreate2(file, path.c_str(), stored, space, links, H5P_DEFAULT, H5P_DEFAULT));
  if (values != nullptr && H5Dwrite(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) throw std::runtime_error("write failed");
  H5Dclose(dataset);
  H5Sclose(space);
  H5Pclose(links);
}

std::vector<const char*> pointers(const std::vector<std::string>& values) {
  std::vector<const char*> out;
  for (const std::string& value : values) out.push_back(value.c_str());
  return out;
}

}  // namespace

H5Builder::H5Builder(const std::string& path, hsize_t user_block) {
  const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
  H5Pset_userblock(creation, user_block);
  file_ = valid(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, H5P_DEFAULT));
  H5Pclose(creation);
}

H5Builder::~H5Builder() { H5Fclose(file_); }

H5Builder& H5Builder::group(const std::string& path) {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  H5Gclose(valid(H5Gcreate2(file_, path.c_str(), links, H5P_DEFAULT, H5P_DEFAULT)));
  H5Pclose(links);
  return *this;
}

H5Builder& H5Builder::strings(const std::string& path, const std::vector<std::string>& values) {
  const hid_t type = variable_strings();
  write_dataset(file_, path, type, type, {values.size()}, pointers(values).data());
  H5Tclose(type);
  return *this;
}

H5Builder& H5Builder::fixed_strings(const std::string& path, const std::vector<std::string>& values, std::size_t width) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, width);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  std::vector<char> bytes(values.size() * width, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(&bytes[i * width], values[i].data(), values[i].size());
  write_dataset(file_, path, type, type, {values.size()}, bytes.data());
  H5Tclose(type);
  return *this;
}

H5Builder& H5Builder::numbers(const std::string& path, const std::vector<double>& values, hid_t type, std::vector<hsize_t> dims) {
  if (dims.empty()) dims = {values.size()};
  write_dataset(file_, path, type, H5T_NATIVE_DOUBLE, dims, values.data());
  return *this;
}

H5Builder& H5Builder::bools(const std::string& path, const std::vector<bool>& values) {
  const hid_t type = H5Tenum_create(H5T_STD_I8LE);
  for (signed char value = 0; value < 2; ++value) H5Tenum_insert(type, value != 0 ? "TRUE" : "FALSE", &value);
  const std::vector<signed char> bytes(values.begin(), values.end());
  write_dataset(file_, path, type, type, {bytes.size()}, bytes.data());
  H5Tclose(type);
  return *this;
}

H5Builder& H5Builder::table(const std::string& path, hid_t type, const void* rows, hsize_t count) {
  write_dataset(file_, path, type, type, {count}, rows);
  return *this;
}

H5Builder& H5Builder::created(const std::string& path, hid_t type, const std::vector<hsize_t>& dims, hid_t creation) {
  const hid_t space = space_of(dims);
  H5Dclose(valid(H5Dcreate2(file_, path.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT)));
  H5Sclose(space);
  H5Pclose(creation);
  return *this;
}

H5Builder& H5Builder::null(const std::string& path) {
  const hid_t space = H5Screate(H5S_NULL);
  H5Dclose(valid(H5Dcreate2(file_, path.c_str(), H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)));
  H5Sclose(space);
  return *this;
}

H5Builder& H5Builder::soft_link(const std::string& path, const std::string& target) {
  H5Lcreate_soft(target.c_str(), file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT);
  return *this;
}

void H5Builder::attribute(const std::string& path, const std::string& name, hid_t type, const std::vector<hsize_t>& dims,
                          const void* values) {
  const hid_t space = space_of(dims);
  const hid_t attribute = valid(H5Acreate_by_name(file_, path.c_str(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (values != nullptr) H5Awrite(attribute, type, values);
  H5Aclose(attribute);
  H5Sclose(space);
}

H5Builder& H5Builder::text_attribute(const std::string& path, const std::string& name, const std::string& value) {
  const hid_t type = variable_strings();
  const char* pointer = value.c_str();
  attribute(path, name, type, {}, &pointer);
  H5Tclose(type);
  return *this;
}

H5Builder& H5Builder::fixed_attribute(const std::string& path, const std::string& name, const std::string& value) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, value.size());
  attribute(path, name, type, {1}, value.data());
  H5Tclose(type);
  return *this;
}

H5Builder& H5Builder::text_list_attribute(const std::string& path, const std::string& name, const std::vector<std::string>& values) {
  const hid_t type = variable_strings();
  attribute(path, name, type, {values.size()}, pointers(values).data());
  H5Tclose(type);
  return *this;
}

H5Builder& H5Builder::number_attribute(const std::string& path, const std::string& name, const std::vector<double>& values, hid_t type) {
  const hid_t space = space_of({values.size()});
  const hid_t id = valid(H5Acreate_by_name(file_, path.c_str(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (!values.empty()) H5Awrite(id, H5T_NATIVE_DOUBLE, values.data());
  H5Aclose(id);
  H5Sclose(space);
  return *this;
}

H5Builder& H5Builder::reference_attribute(const std::string& path, const std::string& name, const std::string& target) {
  hobj_ref_t reference = 0;
  if (!target.empty()) H5Rcreate(&reference, file_, target.c_str(), H5R_OBJECT, -1);
  attribute(path, name, H5T_STD_REF_OBJ, {}, &reference);
  return *this;
}

H5Builder& H5Builder::encoding(const std::string& path, const std::string& type, const std::string& version) {
  return text_attribute(path, "encoding-type", type).text_attribute(path, "encoding-version", version);
}

H5Builder& H5Builder::frame(const std::string& path, const std::vector<std::string>& names, const std::string& index) {
  group(path).encoding(path, "dataframe", "0.2.0").text_attribute(path, "_index", index);
  number_attribute(path, "column-order", {}, H5T_IEEE_F64LE);  // as anndata writes an empty list
  return strings(path + "/" + index, names);
}

H5Builder& H5Builder::sparse_arrays(const std::string& path, std::int64_t major) {
  std::vector<double> data, indices, indptr{0};
  for (std::int64_t i = 0; i < major; ++i) {
    data.push_back(static_cast<double>(i + 1));
    indices.push_back(0);
    indptr.push_back(static_cast<double>(i + 1));
  }
  return numbers(path + "/data", data, H5T_IEEE_F32LE)
      .numbers(path + "/indices", indices, H5T_STD_I32LE)
      .numbers(path + "/indptr", indptr, H5T_STD_I64LE);
}

H5Builder& H5Builder::sparse(const std::string& path, std::int64_t rows, std::int64_t cols, const std::string& format) {
  sparse_arrays(path, format == "csr" ? rows : cols).encoding(path, format + "_matrix", "0.1.0");
  return number_attribute(path, "shape", {static_cast<double>(rows), static_cast<double>(cols)}, H5T_STD_I64LE);
}

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "quern_test_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::text(const std::string& name, const std::string& contents) const {
  std::ofstream(file(name), std::ios::binary) << contents;
  return file(name);
}

std::vector<std::string> numbered(const std::string& prefix, std::int64_t count) {
  std::vector<std::string> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(prefix + std::to_string(i));
  return out;
}

}  // namespace quern::test
