// The unfinished outputs of this process, kept where a signal handler can reach them.
#pragma once
#include <string>

namespace quern::io {

// A place in the registry for the life of one part file, or of a folder of parts (which is removed once it is empty); unlinks the file
// unless it was released. Thread-safe.
class RegisteredPart {
 public:
  RegisteredPart() = default;
  explicit RegisteredPart(const std::string& absolute_path);  // at most 64 at once and 4,095 bytes, else an internal Error
  RegisteredPart(RegisteredPart&& other) noexcept;
  RegisteredPart& operator=(RegisteredPart&& other) noexcept;
  RegisteredPart(const RegisteredPart&) = delete;
  RegisteredPart& operator=(const RegisteredPart&) = delete;
  ~RegisteredPart();
  void release() noexcept;  // the file is no longer a part: it was renamed

 private:
  int slot_ = -1;
};

// Unlinks every registered part; for signal handlers (async-signal-safe). Does nothing in a forked child.
void unlink_registered_parts() noexcept;

}  // namespace quern::io
