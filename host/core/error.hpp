// The one exception type of the program. Its kind is the process's exit code; its code is a stable word listed in the manual.
#pragma once
#include <stdexcept>
#include <string>
#include <utility>

namespace quern {

enum class ErrorKind : int {
  internal = 1,   // a bug in quern
  usage = 2,      // the command line
  input = 3,      // unreadable, invalid, unsupported or unsafe input
  output = 4,     // output or disk
  resources = 5,  // would not fit in host or device memory
  device = 6      // device or driver
};

class Error : public std::runtime_error {
 public:
  // `object` names what inside the file (or which option) is wrong; `text` says what was found and what was expected;
  // `hint` (may be empty) says what to do next.
  Error(ErrorKind kind, std::string code, std::string object, const std::string& text, std::string hint = {})
      : std::runtime_error(text), kind_(kind), code_(std::move(code)), object_(std::move(object)), hint_(std::move(hint)) {}

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& code() const noexcept { return code_; }
  const std::string& object() const noexcept { return object_; }
  const std::string& hint() const noexcept { return hint_; }
  const std::string& path() const noexcept { return path_; }
  // The file concerned; filled in by whoever knows it, first one wins.
  Error& in_file(const std::string& path) {
    if (path_.empty()) path_ = path;
    return *this;
  }

 private:
  ErrorKind kind_;
  std::string code_, object_, hint_, path_;
};

inline Error usage_error(std::string code, std::string object, const std::string& text, std::string hint = {}) {
  return {ErrorKind::usage, std::move(code), std::move(object), text, std::move(hint)};
}
inline Error input_error(std::string code, std::string object, const std::string& text, std::string hint = {}) {
  return {ErrorKind::input, std::move(code), std::move(object), text, std::move(hint)};
}
inline Error output_error(std::string code, std::string object, const std::string& text, std::string hint = {}) {
  return {ErrorKind::output, std::move(code), std::move(object), text, std::move(hint)};
}
inline Error resource_error(std::string code, std::string object, const std::string& text, std::string hint = {}) {
  return {ErrorKind::resources, std::move(code), std::move(object), text, std::move(hint)};
}

// Thrown out of the loop when the user asked to stop (SIGINT, SIGTERM); not an Error: the process ends by the signal.
class Interrupted : public std::exception {
 public:
  const char* what() const noexcept override { return "interrupted"; }
};

}  // namespace quern
