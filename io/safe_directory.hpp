// A folder of files that appears as a whole: written under another name beside its target, then renamed.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "io/descriptor.hpp"
#include "io/part_registry.hpp"
#include "io/safe_file.hpp"

namespace quern::io {

// The files of a folder, and what a folder that is replaced may hold besides.
struct FolderFiles {
  std::vector<std::string> written, replaceable;
};

// Follows links and applies the rules. Throws output_error: "exists" (without force), "not-a-folder", "foreign-files" (with force: it holds
// other things than `files`, which nobody asked to lose), "same-file" (an input lies in it), "no-such-folder", "not-writable".
OutputTarget resolve_folder(const std::string& target, const FolderFiles& files, const OutputOptions& options);

// Owns `.NAME.PID.RANDOM.part/` in the target's folder and the files in it; removes them when destroyed without commit, or when a signal
// ends the process.
class SafeDirectory {
 public:
  // Creates the part and its files. Throws as resolve_folder does.
  SafeDirectory(const std::string& target, const FolderFiles& files, const OutputOptions& options);
  SafeDirectory(const SafeDirectory&) = delete;
  SafeDirectory& operator=(const SafeDirectory&) = delete;

  // Of the file at this place of files.written: open for writing, and its name for messages.
  int descriptor(std::size_t file) const { return files_[file].descriptor.get(); }
  const std::string& path(std::size_t file) const { return files_[file].target; }
  // Parts that an earlier run left behind.
  const std::vector<Warning>& warnings() const { return warnings_; }

  void start_over();  // empties the files
  // fsync of all, rename, fsync of the parent folder; what was replaced is removed. Returns the bytes of the files. Throws output_error;
  // the part is then removed.
  std::int64_t commit();

 private:
  struct File {
    std::string target, part;
    RegisteredPart registered = {};
    Descriptor descriptor = {};
  };
  void create(const std::vector<std::string>& names);
  std::int64_t close_files();
  void put_in_place();
  void remove_old(const std::string& folder) const;
  OutputTarget target_;
  FolderFiles names_;
  std::string part_path_;
  RegisteredPart registered_;
  std::vector<File> files_;
  std::vector<Warning> warnings_;
};

}  // namespace quern::io
