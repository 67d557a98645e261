// Writes small HDF5 files for tests, as odd as they need to be. Paths are absolute; parent groups appear by themselves.
#pragma once
#include <hdf5.h>

#include <cstdint>
#include <string>
#include <vector>

namespace quern::test {

class H5Builder {
 public:
  explicit H5Builder(const std::string& path, hsize_t user_block = 0);
  ~H5Builder();
  H5Builder(const H5Builder&) = delete;
  H5Builder& operator=(const H5Builder&) = delete;
  hid_t file() const { return file_; }

  H5Builder& group(const std::string& path);
  H5Builder& strings(const std::string& path, const std::vector<std::string>& values);  // variable length
  H5Builder& fixed_strings(const std::string& path, const std::vector<std::string>& values, std::size_t width);
  // 1-D by default; `type` is the stored type.
  H5Builder& numbers(const std::string& path, const std::vector<double>& values, hid_t type, std::vector<hsize_t> dims = {});
  H5Builder& bools(const std::string& path, const std::vector<bool>& values);
  H5Builder& table(const std::string& path, hid_t type, const void* rows, hsize_t count);                     // compound
  H5Builder& created(const std::string& path, hid_t type, const std::vector<hsize_t>& dims, hid_t creation);  // closes `creation`
  H5Builder& null(const std::string& path);
  H5Builder& soft_link(const std::string& path, const std::string& target);

  H5Builder& text_attribute(const std::string& path, const std::string& name, const std::string& value);   // variable length
  H5Builder& fixed_attribute(const std::string& path, const std::string& name, const std::string& value);  // fixed length
  H5Builder& text_list_attribute(const std::string& path, const std::string& name, const std::vector<std::string>& values);
  H5Builder& number_attribute(const std::string& path, const std::string& name, const std::vector<double>& values, hid_t type);
  H5Builder& reference_attribute(const std::string& path, const std::string& name, const std::string& target);
  H5Builder& encoding(const std::string& path, const std::string& type, const std::string& version);

  // A modern dataframe with an index of this name and no columns.
  H5Builder& frame(const std::string& path, const std::vector<std::string>& names, const std::string& index = "_index");
  // data = 1, 2, 3 ...; one entry a row in column 0; all of it in a csr or csc group of the modern kind.
  H5Builder& sparse(const std::string& path, std::int64_t rows, std::int64_t cols, const std::string& format = "csr");
  // data, indices, indptr of such a matrix without any attribute.
  H5Builder& sparse_arrays(const std::string& path, std::int64_t major);

 private:
  void attribute(const std::string& path, const std::string& name, hid_t type, const std::vector<hsize_t>& dims, const void* values);
  hid_t file_;
};

// A directory of its own below the system's temporary one, removed at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  // Writes a text file and gives its path.
  std::string text(const std::string& name, const std::string& contents) const;

 private:
  std::string path_;
};

std::vector<std::string> numbered(const std::string& prefix, std::int64_t count);  // prefix0, prefix1 ...

}  // namespace quern::test
