#include "io/hdf5/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "io/hdf5/filters.hpp"
#include "io/hdf5/quiet.hpp"
#include "io/hdf5/superblock.hpp"

namespace quern::io {
namespace {

// Once a process: HDF5 prints nothing and loads no code on a file's behalf.
void initialise_library() {
  static const bool done = [] {
    H5dont_atexit();  // before anything else: an output that is given up after a failed write must not be closed at exit
    H5open();
    keep_hdf5_quiet();
    if (H5PLset_loading_state(0) < 0) throw hdf5_failure("/", "turn plugins off");
    register_filters();
    return true;
  }();
  static_cast<void>(done);
}

// Whether somebody holds the lock that HDF5 takes for writing.
bool is_locked(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool locked = flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;  // nor is one that cannot be opened
  close(descriptor);
  return locked;
}

herr_t refuse_link(const char*, const char*, const char*, const char*, unsigned*, hid_t, void* met_external) {
  *static_cast<bool*>(met_external) = true;
  return -1;
}

Error external_reference(const std::string& object, const std::string& what) {
  return input_error("external-reference", object, what + " points outside this file", "give --allow-external if you trust the file");
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

}  // namespace

std::string join_path(const std::string& group, const std::string& name) { return group == "/" ? group + name : group + "/" + name; }

Hdf5File::Hdf5File(const std::string& path, bool allow_external, bool measures_storage)
    : path_(path), allow_external_(allow_external), measures_storage_(measures_storage), met_external_(std::make_unique<bool>(false)) {
  initialise_library();
  check_superblock(path);
  PropertyHandle access(checked(H5Pcreate(H5P_FILE_ACCESS), path, "prepare the file access"));
  H5Pset_file_locking(access.get(), true, true);  // a file system without locks is no reason to refuse a file
  file_ = FileHandle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
  if (!file_ && is_locked(path))
    throw input_error("file-locked", "", "another program has the file open for writing", "wait for it to finish, or work on a copy");
  checked(file_.get(), "/", "open the file");
  access_ = PropertyHandle(checked(H5Pcreate(H5P_LINK_ACCESS), path, "prepare the link access"));
  refuse_external_links(access_.get());
}

void Hdf5File::refuse_external_links(hid_t access) const {
  if (!allow_external_ && H5Pset_elink_cb(access, refuse_link, met_external_.get()) < 0) throw hdf5_failure("/", "refuse external links");
}

hid_t Hdf5File::open_id(const std::string& object) const {
  *met_external_ = false;
  const hid_t id = H5Oopen(file_.get(), object.empty() ? "/" : object.c_str(), access_.get());
  if (*met_external_) throw external_reference(object, "an external link");
  return id;
}

bool Hdf5File::parent_is_group(const std::string& object) const {
  const std::size_t cut = object.rfind('/');
  if (cut == std::string::npos || cut == 0) return true;
  const std::string parent = object.substr(0, cut);
  return known_groups_.count(parent) > 0 || kind(parent) == ObjectKind::group;
}

bool Hdf5File::has_link(const std::string& object) const {
  const htri_t found = H5Lexists(file_.get(), object.c_str(), access_.get());
  if (found < 0) throw hdf5_failure(object, "look for it");
  return found > 0;
}

ObjectKind Hdf5File::kind(const std::string& object) const {
  const bool is_root = object.empty() || object == "/";
  if (!is_root && (!parent_is_group(object) || !has_link(object))) return ObjectKind::none;
  const ObjectHandle found(open_id(object));
  if (!found) {
    const Error failure = hdf5_failure(object, "open the object");
    H5L_info_t link{};  // no soft one
    H5Lget_info(file_.get(), object.c_str(), &link, access_.get());
    if (link.type == H5L_TYPE_SOFT) return ObjectKind::none;
    throw failure;
  }
  const H5I_type_t type = H5Iget_type(found.get());
  if (type == H5I_GROUP) known_groups_.insert(object);
  return type == H5I_GROUP ? ObjectKind::group : type == H5I_DATASET ? ObjectKind::dataset : ObjectKind::other;
}

bool Hdf5File::is_broken_link(const std::string& object) const {
  return kind(object) == ObjectKind::none && parent_is_group(object) && has_link(object);
}

ObjectHandle Hdf5File::open(const std::string& object) const {
  if (kind(object) == ObjectKind::none) throw input_error("missing-object", object, "expected, but not in the file");
  return ObjectHandle(checked(open_id(object), object, "open the object"));
}

DatasetHandle Hdf5File::open_dataset(const std::string& object, std::size_t chunk_cache_bytes) const {
  const ObjectKind found = kind(object);
  if (found == ObjectKind::none) throw input_error("missing-object", object, "expected a dataset, but there is nothing of this name");
  if (found != ObjectKind::dataset) throw input_error("bad-type", object, "expected a dataset, found a group");
  const PropertyHandle access(checked(H5Pcreate(H5P_DATASET_ACCESS), object, "prepare the dataset access"));
  if (chunk_cache_bytes > 0)
    H5Pset_chunk_cache(access.get(), H5D_CHUNK_CACHE_NSLOTS_DEFAULT, chunk_cache_bytes, H5D_CHUNK_CACHE_W0_DEFAULT);
  refuse_external_links(access.get());
  DatasetHandle dataset(checked(H5Dopen2(file_.get(), object.c_str(), access.get()), object, "open the dataset"));
  refuse_outside_data(dataset.get(), object);
  return dataset;
}

DatasetHandle Hdf5File::open_reference(hobj_ref_t reference, const std::string& object) const {
  const hid_t id = H5Rdereference2(file_.get(), H5P_DEFAULT, H5R_OBJECT, &reference);
  ObjectHandle target(id);
  if (H5Iget_type(id) != H5I_DATASET) throw input_error("bad-reference", object, "an object reference that points to no dataset");
  DatasetHandle dataset(checked(H5Oopen(id, ".", access_.get()), object, "follow a reference"));
  refuse_outside_data(dataset.get(), object);
  return dataset;
}

void Hdf5File::refuse_outside_data(hid_t dataset, const std::string& object) const {
  if (allow_external_) return;
  const PropertyHandle creation(H5Dget_create_plist(dataset));
  const H5D_layout_t layout = H5Pget_layout(creation.get());
  if (layout < 0) throw hdf5_failure(object, "read the dataset's layout");
  if (layout == H5D_VIRTUAL) throw external_reference(object, "a virtual dataset");
  if (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation.get()) != 0) throw external_reference(object, "external raw data");
}

std::vector<std::string> Hdf5File::children(const std::string& group) const {
  std::vector<std::string> names;
  if (kind(group) != ObjectKind::group) return names;
  const ObjectHandle handle(checked(open_id(group), group, "open the group"));
  hsize_t next = 0;
  if (H5Literate(handle.get(), H5_INDEX_NAME, H5_ITER_INC, &next, collect_name, &names) < 0)
    throw input_error("corrupt-hdf5", group, "HDF5 could not list the group", "check the file with `quern check`");
  return names;
}

}  // namespace quern::io
