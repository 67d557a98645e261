#include "io/output_places.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <random>

#include "io/descriptor.hpp"
#include "io/file_errors.hpp"

namespace quern::io {
namespace {

namespace fs = std::filesystem;

std::string random_word() {
  std::random_device device;
  return std::to_string(device());
}

std::string part_prefix(const fs::path& target) { return "." + target.filename().string().substr(0, 200) + "."; }

bool is_running(int process) { return kill(process, 0) == 0 || errno != ESRCH; }

// The process number in PREFIX + PID.RANDOM.part, or 0.
int process_of_part(const std::string& name, const std::string& prefix) {
  if (!name.starts_with(prefix) || !name.ends_with(".part")) return 0;
  int process = 0;
  const char* begin = name.data() + prefix.size();
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), process);
  return error == std::errc() && *end == '.' ? process : 0;
}

}  // namespace

std::string follow_links(const std::string& target) {
  fs::path path = fs::absolute(target);
  for (int hops = 0; hops < 40; ++hops) {
    std::error_code error;
    const fs::path next = fs::read_symlink(path, error);
    if (error) break;  // no link, or nothing
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  std::error_code error;
  const fs::path folder = fs::canonical(path.parent_path(), error);
  if (error) throw write_error(target, "open the folder", error.value());
  return (folder / path.filename()).string();
}

std::string new_part_path(const std::string& target) {
  const std::string stem = part_prefix(target) + std::to_string(getpid()) + ".";
  return (fs::path(target).parent_path() / (stem + random_word() + ".part")).string();
}

std::vector<Warning> find_stale_parts(const std::string& target) {
  std::vector<Warning> warnings;
  const std::string prefix = part_prefix(target);
  std::error_code error;
  for (fs::directory_iterator entry(fs::path(target).parent_path(), error), end; !error && entry != end; entry.increment(error)) {
    const int process = process_of_part(entry->path().filename().string(), prefix);
    if (process > 0 && !is_running(process))
      warnings.push_back({"stale-part", entry->path().string() + " was left by a run that was killed; it can be deleted"});
  }
  return warnings;
}

void sync_folder(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor) throw write_error(path, "open the folder to sync it", errno);
  if (fsync(descriptor.get()) == 0 || errno == EINVAL) return;  // EINVAL: the file system has no such thing
  throw write_error(path, "sync the folder", errno);
}

}  // namespace quern::io
