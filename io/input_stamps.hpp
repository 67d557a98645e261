// Whether the files that a run reads stay what they are while it reads them.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace quern::io {

class InputStamps {
 public:
  InputStamps() = default;
  // Looks at the files now. One that does not exist is for others to refuse.
  explicit InputStamps(const std::vector<std::string>& files);
  // Throws input_error("changed") naming the first whose size, time or identity is another one.
  void check() const;

 private:
  struct Stamp {
    std::string path;
    dev_t device = 0;
    ino_t number = 0;
    std::int64_t bytes = 0, seconds = 0, nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  static Stamp look(const std::string& path);
  std::vector<Stamp> stamps_;
};

}  // namespace quern::io
