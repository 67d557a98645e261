#include "io/source/file_bytes.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "host/core/error.hpp"

namespace quern::io {

FileBytes::FileBytes(const std::string& path, std::string object)
    : object_(std::move(object)), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw input_error("unreadable", object_, std::string("the file cannot be opened again: ") + std::strerror(errno));
}

FileBytes::~FileBytes() { close(descriptor_); }

void FileBytes::read(std::int64_t offset, std::span<std::byte> out) {
  bytes_read_.fetch_add(static_cast<std::int64_t>(out.size()), std::memory_order_relaxed);
  while (!out.empty()) {
    const ssize_t n = pread(descriptor_, out.data(), out.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw input_error("unreadable", object_, std::string("reading failed: ") + std::strerror(errno));
    if (n == 0)
      throw input_error("truncated", object_, "the file ends at byte " + std::to_string(offset) + ", before the end of the data",
                        "the file is cut short: copy or download it again");
    offset += n;
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

}  // namespace quern::io
