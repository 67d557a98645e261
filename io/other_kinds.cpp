#include "io/other_kinds.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace quern::io {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view begins;
  const char *what, *advice;
};

constexpr const char *again = "download it again, and look at what came", *unpack = "unpack it first";
constexpr std::array<Signature, 8> signatures{{
    {"version https://git-lfs"sv, "a Git LFS pointer, not the file that it stands for", "git lfs pull"},
    {"\x93NUMPY"sv, "a NumPy array", "it has no names of cells and genes: make an h5ad of it in Python"},
    {"PAR1"sv, "a Parquet file", "read it in Python and write an h5ad"},
    {"\xfd"
     "7zXZ\0"sv,
     "compressed with xz", unpack},
    {"\x28\xb5\x2f\xfd"sv, "compressed with zstd", unpack},
    {"BZh"sv, "compressed with bzip2", unpack},
    {"%PDF"sv, "a PDF document", again},
    {"<?xml"sv, "XML text", again},
}};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view without_blanks(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf"sv)) text.remove_prefix(3);
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"sv), text.size()));
}

bool is_text(std::string_view bytes) {
  return std::none_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c < 0x20 && c != '\t' && c != '\r' && c != '\n'; });
}

// The first two lines have the same number of separators, and some.
bool has_columns(std::string_view text, char separator) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return false;
  const std::string_view first = text.substr(0, end), rest = text.substr(end + 1), second = rest.substr(0, rest.find('\n'));
  const auto n = std::count(first.begin(), first.end(), separator);
  return n > 0 && n == std::count(second.begin(), second.end(), separator);
}

}  // namespace

OtherKind other_kind(std::string_view bytes) {
  for (const Signature& known : signatures)
    if (bytes.starts_with(known.begins)) return {known.what, known.advice};
  if (bytes.size() > 262 && bytes.substr(257, 5) == "ustar"sv) return {"a tar archive", "unpack it and name the file or directory inside"};
  const std::string_view text = without_blanks(bytes);
  const std::string small = lower(text.substr(0, 64));
  if (small.starts_with("<!doctype html") || small.starts_with("<html"))
    return {"an HTML page, such as a server sends in place of a file", "look at it in a browser, and download the file again"};
  if (is_text(text) && text.starts_with('{')) return {"JSON text", again};
  const bool by_tabs = has_columns(text, '\t');
  if (is_text(text) && (by_tabs || has_columns(text, ',') || has_columns(text, ';')))
    return {by_tabs ? "a tab-separated text table" : "a text table (CSV)",
            "make an h5ad of it in Python: anndata.read_csv(...).write_h5ad(...)"};
  return {"neither HDF5 nor a MatrixMarket text", "quern reads h5ad, 10x h5 and 10x matrix directories"};
}

}  // namespace quern::io
