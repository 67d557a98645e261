#include "io/input_stamps.hpp"

#include <sys/stat.h>

#include "host/core/error.hpp"

namespace quern::io {

InputStamps::Stamp InputStamps::look(const std::string& path) {
  struct stat found {};  // no file's, when it cannot be reached
  stat(path.c_str(), &found);
  return {path, found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
}

InputStamps::InputStamps(const std::vector<std::string>& files) {
  for (const std::string& file : files) stamps_.push_back(look(file));
}

void InputStamps::check() const {
  for (const Stamp& before : stamps_) {
    if (look(before.path) != before)
      throw input_error("changed", "", "the file changed while it was read", "let nobody write to it and try again").in_file(before.path);
  }
}

}  // namespace quern::io
