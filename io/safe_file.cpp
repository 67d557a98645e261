#include "io/safe_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <mutex>

#include "io/file_errors.hpp"
#include "io/output_places.hpp"

namespace quern::io {
namespace {

namespace fs = std::filesystem;

std::mutex open_targets_mutex;
std::vector<std::string> open_targets;  // of the SafeFiles alive in this process

bool is_same_file(const struct stat& a, const std::string& path) {
  struct stat b {};  // no file's, when it cannot be reached
  stat(path.c_str(), &b);
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void refuse_inputs(const std::string& target, const struct stat& found, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    if (is_same_file(found, input))
      throw output_error("same-file", "", "the output is the input " + input, "name another file: an input is never written to")
          .in_file(target);
  }
}

Error same_output(const std::string& target) {
  return usage_error("same-output", "", "two outputs go to this file", "give each output its own name").in_file(target);
}

Error exists_error(const std::string& path) {
  return output_error("exists", "", "the file exists", "give --force to replace it, or name another file").in_file(path);
}

}  // namespace

OutputTarget resolve_output(const std::string& target, const OutputOptions& options) {
  if (target.empty()) throw output_error("no-such-folder", "", "the name of the output is empty");
  OutputTarget result;
  result.path = follow_links(target);
  struct stat found {};
  if (stat(result.path.c_str(), &found) != 0) {
    if (errno != ENOENT) throw write_error(target, "look at the target", errno);
    return result;
  }
  if (S_ISDIR(found.st_mode)) throw output_error("is-directory", "", "this is a folder", "name a file in it").in_file(target);
  result.exists = true;
  result.special = !S_ISREG(found.st_mode);
  result.mode = found.st_mode & 07777U;
  if (result.special) return result;
  refuse_inputs(target, found, options.inputs);
  if (!options.log_file.empty() && is_same_file(found, options.log_file)) throw same_output(target);
  if (!options.force) throw exists_error(target);
  return result;
}

SafeFile::SafeFile(const std::string& target, const OutputOptions& options)
    : target_(resolve_output(target, options)), force_(options.force) {
  if (target_.special)
    throw output_error("not-a-file", "", "the target is a device or pipe, which cannot hold this format", "name a file").in_file(target);
  {
    const std::scoped_lock lock(open_targets_mutex);
    if (std::find(open_targets.begin(), open_targets.end(), target_.path) != open_targets.end()) throw same_output(target);
    warnings_ = find_stale_parts(target_.path);
    create_part();
    open_targets.push_back(target_.path);
  }
}

void SafeFile::create_part() {
  for (int attempt = 0; attempt < 8 && !descriptor_; ++attempt) {
    part_path_ = new_part_path(target_.path);
    descriptor_ = Descriptor(open(part_path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!descriptor_ && errno != EEXIST) throw write_error(target_.path, "create the file", errno);
  }
  if (!descriptor_) throw write_error(target_.path, "create the file", EEXIST);
  registered_ = RegisteredPart(part_path_);
  if (target_.exists && fchmod(descriptor_.get(), target_.mode) != 0)
    throw write_error(target_.path, "give the file the permissions of the old one", errno);
}

SafeFile::~SafeFile() {
  const std::scoped_lock lock(open_targets_mutex);
  std::erase(open_targets, target_.path);
}

void SafeFile::commit() {
  if (fsync(descriptor_.get()) != 0) throw write_error(target_.path, "bring the data to disk", errno);
  if (close(descriptor_.release()) != 0) throw write_error(target_.path, "close the file", errno);
  put_in_place();
  sync_folder(target_.path);
}

void SafeFile::put_in_place() {
  if (force_) {
    if (rename(part_path_.c_str(), target_.path.c_str()) != 0) throw write_error(target_.path, "rename the finished file", errno);
    return;
  }
  if (renameat2(AT_FDCWD, part_path_.c_str(), AT_FDCWD, target_.path.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST) throw exists_error(target_.path);
  if (errno != EINVAL && errno != ENOSYS) throw write_error(target_.path, "rename the finished file", errno);
  // A file system without RENAME_NOREPLACE: a hard link refuses to replace just as well.
  if (link(part_path_.c_str(), target_.path.c_str()) != 0) {
    if (errno == EEXIST) throw exists_error(target_.path);
    throw write_error(target_.path, "rename the finished file", errno);
  }
  if (unlink(part_path_.c_str()) != 0) throw write_error(target_.path, "remove the temporary name", errno);
}

}  // namespace quern::io
