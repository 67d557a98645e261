#include "io/input_stamps.hpp"

#include <sys/stat.h>

#include "host/core/error.hpp"

namespace quern::io {

bool InputStamps::look(const std::string& path, Stamp& stamp) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return false;
  stamp = {path, found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
  return true;
}

InputStamps::InputStamps(const std::vector<std::string>& files) {
  for (const std::string& file : files)
    if (Stamp stamp; look(file, stamp)) stamps_.push_back(stamp);
}

void InputStamps::check() const {
  for (const Stamp& before : stamps_) {
    Stamp now;
    if (!look(before.path, now) || now != before)
      throw input_error("changed", "", "the file changed while it was read", "let nobody write to it and try again").in_file(before.path);
  }
}

}  // namespace quern::io
