// A new HDF5 file and its groups. Nothing in it depends on the time or the machine: object times are not tracked.
#pragma once
#include <string>

#include "io/h5ad_write/write_handles.hpp"
#include "io/hdf5/handles.hpp"

namespace quern::io {

// Serial, like all use of HDF5. close() before the destructor on success; without it the file is abandoned as it is.
class OutputFile {
 public:
  // Truncates what is at `path` (the temporary of a SafeFile). output_error("write-failed").
  static OutputFile create(const std::string& path);
  // One that is never written anywhere.
  static OutputFile create_in_memory();
  hid_t id() const { return file_.get(); }
  // Flushes and closes, both checked. Everything opened in the file has been closed by then, else internal error.
  void close();
  // Closes the groups and datasets that were given up while they were open, so that the file can be closed and made anew. Not after a write
  // that failed.
  void close_objects();

 private:
  static OutputFile create(const std::string& path, hid_t access);
  explicit OutputFile(WriteHandle<H5Fclose> file) : file_(std::move(file)) {}
  WriteHandle<H5Fclose> file_;
};

// `name` may not hold a slash. `parent` is the file or a group; `parent_path` is empty for the file. `long_attributes`: attributes may
// be larger than 64 KiB (a form that HDF5 1.8 introduced).
OutputGroup make_group(hid_t parent, const std::string& parent_path, const std::string& name, bool long_attributes = false);
inline OutputGroup make_group(const OutputFile& file, const std::string& name) { return make_group(file.id(), "", name); }
inline OutputGroup make_group(const OutputGroup& parent, const std::string& name) {
  return make_group(parent.get(), parent.object(), name);
}

// The top group of the file; close() it like any other.
OutputGroup root_group(const OutputFile& file);

// A dataset creation list without times; what chunked and contiguous datasets start from.
PropertyHandle dataset_properties();

// "name" at the top, "parent/name" below.
inline std::string object_path(const std::string& parent, const std::string& name) { return parent.empty() ? name : parent + "/" + name; }

}  // namespace quern::io
