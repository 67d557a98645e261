// Files that only have the name of an input: what they are, by their first bytes.
#pragma once
#include <string>
#include <string_view>

namespace quern::io {

struct OtherKind {
  std::string what, advice;
};

// Of the first kilobyte or so.
OtherKind other_kind(std::string_view bytes);

}  // namespace quern::io
