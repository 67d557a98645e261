#include "io/mtx/text_lines.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include "host/core/error.hpp"

namespace quern::io {
namespace {
constexpr std::size_t longest_line = std::size_t{1} << 20;
}

TextLines::TextLines(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
  if (!file_)
    throw input_error(errno == EACCES ? "no-permission" : "not-found", path, std::string("cannot be opened: ") + std::strerror(errno));
  gzbuffer(file_.get(), 1u << 17);
}

bool TextLines::next(std::string& line) {
  std::array<char, 4096> piece;
  line.clear();
  while (gzgets(file_.get(), piece.data(), static_cast<int>(piece.size())) != nullptr) {
    line += piece.data();
    if (line.size() > longest_line) throw input_error("bad-text", path_, "a line of more than 1 MiB");
    if (line.empty() || line.back() != '\n') continue;
    line.pop_back();
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return true;
  }
  check_end();
  return !line.empty();
}

void TextLines::check_end() {
  int code = Z_OK;
  std::string text = gzerror(file_.get(), &code);
  if (text.starts_with(path_ + ": ")) text.erase(0, path_.size() + 2);
  if (code == Z_BUF_ERROR) throw input_error("truncated", path_, "the compressed text ends early", "copy or download it again");
  if (code < 0) throw input_error("corrupt-gzip", path_, "cannot be decompressed: " + text, "copy or download it again");
}

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\v\f\r") == std::string::npos; }

}  // namespace quern::io
