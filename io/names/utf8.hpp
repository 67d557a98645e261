// Names come from many writers; not all of them kept to UTF-8.
#pragma once
#include <string>
#include <string_view>

namespace quern::io {

// The bytes as valid UTF-8: what is not valid becomes U+FFFD, one for each maximal bad part (as Python's errors="replace").
std::string lenient_utf8(std::string_view bytes);

// ASCII: other characters as XML's references ("&#223;"), as Python's errors="xmlcharrefreplace".
std::string ascii_with_references(std::string_view text);

}  // namespace quern::io
