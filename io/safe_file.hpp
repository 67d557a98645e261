// How every output file is written: under another name beside its target, checked, synced, then renamed. The target is never half a file.
#pragma once
#include <string>
#include <vector>

#include "io/descriptor.hpp"
#include "io/file_info.hpp"
#include "io/part_registry.hpp"

namespace quern::io {

struct OutputOptions {
  bool force = false;                 // may replace an existing file
  std::vector<std::string> inputs{};  // files that the output must not be, under whatever name
  std::string log_file{};             // nor this one, which is being written
  std::string tmp_dir{};              // for text that waits for standard output; empty: TMPDIR, else /tmp
};

// What a target turns out to be before anything is written to it.
struct OutputTarget {
  std::string path;  // absolute, symbolic links followed
  bool exists = false;
  bool special = false;  // a device, pipe or socket: written directly, without a part
  unsigned mode = 0;     // permission bits of the existing file
};

// Follows links and applies the rules. Throws usage_error "same-output" (the log), output_error: "same-file" (an input), "exists" (without
// force), "is-directory", "no-such-folder", "not-writable".
OutputTarget resolve_output(const std::string& target, const OutputOptions& options);

// Owns `.NAME.PID.RANDOM.part` in the target's folder; unlinks it when destroyed without commit, or when a signal ends the process.
class SafeFile {
 public:
  // Creates the part. Throws as resolve_output does; "not-a-file" for a special target; usage_error "same-output" when another
  // open SafeFile has the same target.
  SafeFile(const std::string& target, const OutputOptions& options);
  SafeFile(const SafeFile&) = delete;
  SafeFile& operator=(const SafeFile&) = delete;
  ~SafeFile();

  const std::string& path() const { return part_path_; }  // what to write to (truncate it, do not replace it)
  int descriptor() const { return descriptor_.get(); }    // the same file, open for reading and writing
  const std::string& target() const { return target_.path; }
  // What the user should know: parts that an earlier run left behind.
  const std::vector<Warning>& warnings() const { return warnings_; }

  // fsync, rename, fsync of the folder. Everything must have been written. Throws output_error; the part is then removed.
  void commit();

 private:
  void create_part();
  void put_in_place();
  OutputTarget target_;
  bool force_;
  std::string part_path_;
  RegisteredPart registered_;
  Descriptor descriptor_;
  std::vector<Warning> warnings_;
};

}  // namespace quern::io
