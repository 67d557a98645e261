// The bytes of a file by position, without HDF5. Thread-safe once open.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace quern::io {

class FileBytes {
 public:
  // Throws input_error("unreadable"); `object` names the dataset in messages.
  FileBytes(const std::string& path, std::string object);
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;
  ~FileBytes();

  // Fills `out` from `offset`; throws input_error "truncated" when the file ends before, "unreadable" when reading fails.
  void read(std::int64_t offset, std::span<std::byte> out);
  std::int64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }

 private:
  std::string object_;
  int descriptor_ = -1;
  std::atomic<std::int64_t> bytes_read_{0};
};

}  // namespace quern::io
