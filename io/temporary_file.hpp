// Room on disk for what does not fit in memory: a file without a name, gone when its owner goes or the process dies.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/descriptor.hpp"

namespace quern::io {

class TemporaryFile {
 public:
  // In `folder` (empty: TMPDIR, else /tmp), readable by the user alone. `bytes`: what sorting will need, asked for at once; 0: not known,
  // and more memory would not help. Throws output_error "tmp-full" or "tmp-failed".
  TemporaryFile(const std::string& folder, std::int64_t bytes);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  // Thread-safe. Throw as the constructor does.
  void write(std::int64_t offset, std::span<const std::byte> data);
  void read(std::int64_t offset, std::span<std::byte> out) const;

 private:
  [[noreturn]] void fail(const char* doing, int error_number) const;
  std::string folder_;
  std::int64_t bytes_;
  Descriptor descriptor_;
};

}  // namespace quern::io
