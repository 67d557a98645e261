#include "io/safe_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "io/file_errors.hpp"
#include "io/output_places.hpp"

namespace quern::io {
namespace {

namespace fs = std::filesystem;

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void refuse_foreign_files(const std::string& folder, const FolderFiles& files) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && (is_among(files.written, name) || is_among(files.replaceable, name))) continue;
    throw output_error("foreign-files", "", "the folder holds " + name + ", which is no part of what would replace it",
                       "name another folder, or remove it yourself")
        .in_file(folder);
  }
}

void refuse_inputs(const std::string& folder, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code error;
    const fs::path real = fs::canonical(input, error);
    if (!error && (real.parent_path() == folder || real == folder))
      throw output_error("same-file", "", "the output is the folder of the input " + input, "name another: an input is never written to")
          .in_file(folder);
  }
}

}  // namespace

OutputTarget resolve_folder(const std::string& target, const FolderFiles& files, const OutputOptions& options) {
  fs::path plain = fs::path(target).lexically_normal();
  if (!plain.has_filename()) plain = plain.parent_path();  // a slash at the end
  OutputTarget result;
  result.path = follow_links(plain.string());
  struct stat found {};
  if (stat(result.path.c_str(), &found) != 0) {
    if (errno != ENOENT) throw write_error(target, "look at the target", errno);
    return result;
  }
  if (!S_ISDIR(found.st_mode)) throw output_error("not-a-folder", "", "this is no folder", "name a folder").in_file(target);
  result.exists = true;
  result.mode = found.st_mode & 07777U;
  refuse_inputs(result.path, options.inputs);
  if (!options.force) throw output_error("exists", "", "the folder exists", "give --force to replace it, or name another").in_file(target);
  refuse_foreign_files(result.path, files);
  return result;
}

SafeDirectory::SafeDirectory(const std::string& target, const FolderFiles& files, const OutputOptions& options)
    : target_(resolve_folder(target, files, options)), names_(files), warnings_(find_stale_parts(target_.path)) {
  create(files.written);
}

void SafeDirectory::create(const std::vector<std::string>& names) {
  for (int attempt = 0; attempt < 8 && part_path_.empty(); ++attempt) {
    const std::string path = new_part_path(target_.path);
    if (mkdir(path.c_str(), 0777) == 0)
      part_path_ = path;
    else if (errno != EEXIST)
      throw write_error(target_.path, "create the folder", errno);
  }
  if (part_path_.empty()) throw write_error(target_.path, "create the folder", EEXIST);
  registered_ = RegisteredPart(part_path_);
  if (target_.exists && chmod(part_path_.c_str(), target_.mode) != 0)
    throw write_error(target_.path, "give the folder the permissions of the old one", errno);
  files_.reserve(names.size());
  for (const std::string& name : names) {
    File& file = files_.emplace_back(File{target_.path + "/" + name, part_path_ + "/" + name});
    file.descriptor = Descriptor(open(file.part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!file.descriptor) throw write_error(file.target, "create the file", errno);
    file.registered = RegisteredPart(file.part);
  }
}

void SafeDirectory::start_over() {
  for (const File& file : files_)
    if (ftruncate(file.descriptor.get(), 0) != 0 || lseek(file.descriptor.get(), 0, SEEK_SET) != 0)
      throw write_error(file.target, "start the file again", errno);
}

std::int64_t SafeDirectory::close_files() {
  std::int64_t bytes = 0;
  for (File& file : files_) {
    struct stat info {};
    if (fstat(file.descriptor.get(), &info) != 0) throw write_error(file.target, "look at the finished file", errno);
    bytes += info.st_size;
    if (fsync(file.descriptor.get()) != 0) throw write_error(file.target, "bring the data to disk", errno);
    if (close(file.descriptor.release()) != 0) throw write_error(file.target, "close the file", errno);
  }
  sync_folder(files_.front().part);
  return bytes;
}

std::int64_t SafeDirectory::commit() {
  const std::int64_t bytes = close_files();
  put_in_place();
  sync_folder(target_.path);
  return bytes;
}

void SafeDirectory::put_in_place() {
  if (!target_.exists) {
    if (renameat2(AT_FDCWD, part_path_.c_str(), AT_FDCWD, target_.path.c_str(), RENAME_NOREPLACE) == 0) return;
    if (errno == EEXIST)
      throw output_error("exists", "", "the folder exists", "give --force to replace it, or name another").in_file(target_.path);
    // Where the system has no RENAME_NOREPLACE: a rename replaces an empty folder at most.
    if ((errno == EINVAL || errno == ENOSYS) && rename(part_path_.c_str(), target_.path.c_str()) == 0) return;
    throw write_error(target_.path, "rename the finished folder", errno);
  }
  if (renameat2(AT_FDCWD, part_path_.c_str(), AT_FDCWD, target_.path.c_str(), RENAME_EXCHANGE) == 0) return remove_old(part_path_);
  const std::string aside = new_part_path(target_.path);
  if ((errno != EINVAL && errno != ENOSYS) || rename(target_.path.c_str(), aside.c_str()) != 0)
    throw write_error(target_.path, "rename the finished folder", errno);
  if (rename(part_path_.c_str(), target_.path.c_str()) != 0) {
    const int failed = errno;
    if (rename(aside.c_str(), target_.path.c_str()) != 0) throw write_error(aside, "rename the old folder back", errno);
    throw write_error(target_.path, "rename the finished folder", failed);
  }
  remove_old(aside);
}

// The new folder is in place already; what cannot be removed stays, and is named by the next run.
void SafeDirectory::remove_old(const std::string& folder) const {
  for (const auto* names : {&names_.written, &names_.replaceable})
    for (const std::string& name : *names) unlink((folder + "/" + name).c_str());
  rmdir(folder.c_str());
}

}  // namespace quern::io
