#include "io/h5ad_write/output_file.hpp"

#include <cstring>
#include <vector>

#include "host/core/error.hpp"
#include "io/hdf5/quiet.hpp"

namespace quern::io {
namespace {

// HDF5 keeps the system's words inside its own description: "... errno = 28, error message = 'No space left on device', buf = ...".
herr_t find_system_message(unsigned, const H5E_error2_t* entry, void* found) {
  constexpr const char* kMark = "error message = '";
  const char* start = entry->desc ? std::strstr(entry->desc, kMark) : nullptr;
  if (!start) return 0;
  start += std::strlen(kMark);
  const char* end = std::strchr(start, '\'');
  if (end) static_cast<std::string*>(found)->assign(start, end);
  return 0;
}

PropertyHandle property_list(hid_t kind) { return PropertyHandle(made(H5Pcreate(kind), "property list", "create it")); }

}  // namespace

void throw_write_failed(const std::string& object, const char* doing) {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, find_system_message, &reason);
  throw output_error("write-failed", object, std::string("HDF5 could not ") + doing + (reason.empty() ? "" : ": " + reason),
                     "check the space left on the disk and the quota, then run again");
}

OutputFile OutputFile::create(const std::string& path) { return create(path, H5P_DEFAULT); }

OutputFile OutputFile::create_in_memory() {
  const PropertyHandle access = property_list(H5P_FILE_ACCESS);
  done(H5Pset_fapl_core(access.get(), std::size_t{1} << 20, false), "memory", "set file properties");
  return create("quern-survey", access.get());
}

OutputFile OutputFile::create(const std::string& path, hid_t access) {
  H5dont_atexit();  // a file abandoned after a failed write must not be closed at exit either
  keep_hdf5_quiet();
  const PropertyHandle creation = property_list(H5P_FILE_CREATE);
  done(H5Pset_obj_track_times(creation.get(), false), path, "set file properties");
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access);
  return OutputFile(WriteHandle<H5Fclose>(made(file, path, "create the file"), path));
}

void OutputFile::close() {
  const ssize_t open = H5Fget_obj_count(file_.get(), H5F_OBJ_ALL | H5F_OBJ_LOCAL);
  if (open > 1)
    throw Error(ErrorKind::internal, "objects-left-open", file_.object(),
                std::to_string(open - 1) + " objects of the file were not closed");
  done(H5Fflush(file_.get(), H5F_SCOPE_GLOBAL), file_.object(), "write the file out");
  file_.close();
}

void OutputFile::close_objects() {
  constexpr unsigned kinds = H5F_OBJ_GROUP | H5F_OBJ_DATASET | H5F_OBJ_LOCAL;
  const ssize_t open = H5Fget_obj_count(file_.get(), kinds);
  if (open < 0) throw_write_failed(file_.object(), "count its objects");
  std::vector<hid_t> objects(static_cast<std::size_t>(open));
  if (open > 0 && H5Fget_obj_ids(file_.get(), kinds, objects.size(), objects.data()) < 0)
    throw_write_failed(file_.object(), "list its objects");
  for (const hid_t object : objects) H5Oclose(object);  // close() tells of what stays open
}

OutputGroup make_group(hid_t parent, const std::string& parent_path, const std::string& name, bool long_attributes) {
  const std::string path = object_path(parent_path, name);
  const PropertyHandle creation = property_list(H5P_GROUP_CREATE);
  done(H5Pset_obj_track_times(creation.get(), false), path, "set group properties");
  if (long_attributes) done(H5Pset_attr_creation_order(creation.get(), H5P_CRT_ORDER_TRACKED), path, "set group properties");
  return {made(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), path, "create the group"), path};
}

OutputGroup root_group(const OutputFile& file) { return {made(H5Gopen2(file.id(), "/", H5P_DEFAULT), "/", "open the top group"), ""}; }

PropertyHandle dataset_properties() {
  PropertyHandle creation = property_list(H5P_DATASET_CREATE);
  done(H5Pset_obj_track_times(creation.get(), false), "dataset", "set dataset properties");
  return creation;
}

}  // namespace quern::io
