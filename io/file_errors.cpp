#include "io/file_errors.hpp"

#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace quern::io {
namespace {

std::string parent_folder(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string free_space_note(const std::string& path) {
  struct statvfs disk {};
  if (statvfs(parent_folder(path).c_str(), &disk) != 0) return {};
  const auto free_bytes = static_cast<unsigned long long>(disk.f_bavail) * disk.f_frsize;
  return free_bytes >> 26 ? std::string()
                          : " (" + std::to_string(free_bytes >> 10) + " KiB are free there)";  // much free: a quota, or a device
}

}  // namespace

Error write_error(const std::string& path, const std::string& doing, int error_number) {
  std::string text = "could not " + doing + ": " + std::strerror(error_number);
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      text += free_space_note(path);
      return output_error("disk-full", "", text, "free some space or write to another folder").in_file(path);
    case EACCES:
    case EPERM:
    case EROFS:
      return output_error("not-writable", "", text, "choose a folder where you may write").in_file(path);
    case ENOENT:
    case ENOTDIR:
      return output_error("no-such-folder", "", text, "make the folder first").in_file(path);
    default:
      return output_error("write-failed", "", text).in_file(path);
  }
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) throw ClosedPipe();
    throw write_error(path, "write", written < 0 ? errno : ENOSPC);
  }
}

}  // namespace quern::io
