#include "io/temporary_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

std::string folder_or_default(const std::string& folder) {
  if (!folder.empty()) return folder;
  const char* from_environment = std::getenv("TMPDIR");
  return from_environment && *from_environment ? from_environment : "/tmp";
}

// Nameless where the file system can, else named for a moment.
int open_nameless(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return descriptor;
  std::string name = folder + "/.quern-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC), failed = errno;
  unlink(name.c_str());
  errno = failed;
  return named;
}

}  // namespace

TemporaryFile::TemporaryFile(const std::string& folder, std::int64_t bytes) : folder_(folder_or_default(folder)), bytes_(bytes) {
  descriptor_ = Descriptor(open_nameless(folder_));
  if (!descriptor_) fail("create a temporary file", errno);
  // Asks for the room before any work is done, where the file system can promise it.
  if (bytes > 0 && fallocate(descriptor_.get(), 0, 0, bytes) != 0 && errno != EOPNOTSUPP && errno != ENOSYS) fail("reserve room", errno);
}

void TemporaryFile::write(std::int64_t offset, std::span<const std::byte> data) {
  while (!data.empty()) {
    const ssize_t n = pwrite(descriptor_.get(), data.data(), data.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("write", n < 0 ? errno : ENOSPC);
    offset += n;
    data = data.subspan(static_cast<std::size_t>(n));
  }
}

void TemporaryFile::read(std::int64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t n = pread(descriptor_.get(), out.data(), out.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("read back", n < 0 ? errno : EIO);
    offset += n;
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

void TemporaryFile::fail(const char* doing, int error_number) const {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  const std::string needed = bytes_ > 0 ? "; " + std::to_string(bytes_ >> 20) + " MiB are needed for sorting" : "";
  throw output_error(full ? "tmp-full" : "tmp-failed", folder_,
                     std::string("could not ") + doing + " there: " + std::strerror(error_number) + needed,
                     std::string("name another folder with --tmp-dir") + (bytes_ > 0 ? ", or give more --memory" : ""));
}

}  // namespace quern::io
