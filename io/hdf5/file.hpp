// A file opened for reading, and its objects by absolute path. Every open goes through here, so that nothing outside the file is
// followed unless the user allows it: external links, external raw storage and virtual datasets are input_error("external-reference").
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "host/core/memory.hpp"
#include "io/hdf5/handles.hpp"

namespace quern::io {

enum class ObjectKind { none, group, dataset, other };

// Read-only, open until destroyed. Soft links are followed. Not thread-safe (see handles.hpp).
class Hdf5File {
 public:
  // Turns HDF5's own error printing and its loading of plugins off. Throws input_error ("not-hdf5", "truncated", "file-locked",
  // "corrupt-hdf5").
  // `measures_storage`: descriptions add up the stored bytes of datasets, which visits all of a chunk index (0.1 us a chunk).
  explicit Hdf5File(const std::string& path, bool allow_external = false, bool measures_storage = true);

  hid_t id() const { return file_.get(); }
  const std::string& path() const { return path_; }
  bool measures_storage() const { return measures_storage_; }
  // From which text that is kept is claimed; none: it is not counted.
  MemoryBudget* budget() const { return budget_; }
  void set_budget(MemoryBudget* budget) { budget_ = budget; }

  // none: there is no such link, or a soft link that leads nowhere.
  ObjectKind kind(const std::string& object) const;
  bool is_group(const std::string& object) const { return kind(object) == ObjectKind::group; }
  bool is_dataset(const std::string& object) const { return kind(object) == ObjectKind::dataset; }
  // A soft link that leads nowhere, or in a circle.
  bool is_broken_link(const std::string& object) const;
  ObjectHandle open(const std::string& object) const;  // input_error("missing-object") when there is none
  // Also refuses data kept outside the file. `chunk_cache_bytes`: HDF5's cache of decoded chunks, 0 for its default of 1 MiB.
  DatasetHandle open_dataset(const std::string& object, std::size_t chunk_cache_bytes = 0) const;
  // The object a stored reference points to; input_error("bad-reference") when it points nowhere.
  DatasetHandle open_reference(hobj_ref_t reference, const std::string& object) const;
  // Names of a group's links in byte order; empty when it is no group.
  std::vector<std::string> children(const std::string& group) const;

 private:
  hid_t open_id(const std::string& object) const;
  bool has_link(const std::string& object) const;
  bool parent_is_group(const std::string& object) const;
  void refuse_external_links(hid_t access) const;
  void refuse_outside_data(hid_t dataset, const std::string& object) const;

  std::string path_;
  bool allow_external_, measures_storage_;
  MemoryBudget* budget_ = nullptr;
  std::unique_ptr<bool> met_external_;  // set by the call-back that refuses external links; its address outlives moves
  FileHandle file_;
  PropertyHandle access_;
  mutable std::unordered_set<std::string> known_groups_;  // paths already walked
};

// "/obs" + "label" -> "/obs/label"; the root is "" or "/".
std::string join_path(const std::string& group, const std::string& name);

}  // namespace quern::io
