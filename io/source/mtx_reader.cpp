#include "io/source/mtx_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <sstream>

#include "io/decode/convert.hpp"

namespace quern::io {
namespace {

constexpr std::size_t buffer_bytes = 256 << 10, longest_line = 64 << 10;
constexpr std::int64_t most_exact_whole = std::int64_t{1} << 53;  // of a double

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

MtxReader::MtxReader(const std::string& path) : path_(path), object_(file_name(path)), buffer_(buffer_bytes + 1) {
  open();
  read_header();
}

Error MtxReader::bad(const std::string& text) const { return input_error("bad-mtx", object_, text, "write or download the file again"); }

void MtxReader::open() {
  bytes_before_ = bytes_read();
  file_.reset(gzopen(path_.c_str(), "rbe"));
  if (!file_) throw input_error("unreadable", object_, std::string("the file cannot be opened: ") + std::strerror(errno));
  gzbuffer(file_.get(), 128 << 10);
  at_ = end_ = buffer_.data();
  ended_ = false;
  line_ = 0;
  refill();
}

void MtxReader::restart() {
  open();
  read_header();
}

// Keeps what is unread and reads more behind it.
void MtxReader::refill() {
  if (ended_) return;
  const auto unread = static_cast<std::size_t>(end_ - at_);
  std::memmove(buffer_.data(), at_, unread);
  at_ = buffer_.data();
  end_ = at_ + unread;
  const int n = gzread(file_.get(), end_, static_cast<unsigned>(buffer_bytes - unread));
  int code = Z_OK;
  const char* text = gzerror(file_.get(), &code);
  if (code == Z_BUF_ERROR) throw input_error("truncated", object_, "the compressed text ends early", "copy or download the file again");
  if (n < 0) throw input_error("corrupt-gzip", object_, std::string("cannot be decompressed: ") + text, "copy or download the file again");
  end_ += n;
  *end_ = '\n';
  ended_ = n == 0 && unread < buffer_bytes;
}

std::string MtxReader::header_line() {
  if (static_cast<std::size_t>(end_ - at_) < longest_line) refill();
  if (at_ == end_) throw bad("the file ends within its header");
  auto* stop = static_cast<char*>(std::memchr(at_, '\n', static_cast<std::size_t>(end_ - at_)));
  if (!stop && !ended_) throw bad("a line of the header is longer than " + std::to_string(longest_line) + " bytes");
  if (!stop) stop = end_;
  std::string line(at_, stop);
  at_ = std::min(stop + 1, end_);
  ++line_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

void MtxReader::read_header() {
  std::istringstream banner(header_line());
  std::string mark, object, format, field, symmetry;
  banner >> mark >> object >> format >> field >> symmetry;
  if (mark != "%%MatrixMarket" || lower(object) != "matrix") throw bad("line 1 is not that of a MatrixMarket matrix");
  format = lower(format), field = lower(field), symmetry = lower(symmetry);
  pattern_ = field == "pattern";
  whole_numbers_ = pattern_ || field == "integer";
  if (format != "coordinate" || symmetry != "general" || !(whole_numbers_ || field == "real"))
    throw input_error("unknown-encoding", object_,
                      "is MatrixMarket '" + format + " " + field + " " + symmetry + "', expected coordinate integer|real|pattern general");
  std::string line;
  do line = header_line();
  while (line.find_first_not_of(" \t") == std::string::npos || line[0] == '%');
  std::istringstream sizes(line);
  std::string rest;
  if (!(sizes >> n_genes_ >> n_cells_ >> n_entries_) || (sizes >> rest) || n_genes_ < 0 || n_cells_ < 0 || n_entries_ < 0)
    throw bad("line " + std::to_string(line_) + ": expected the numbers of rows, columns and entries, found '" + line.substr(0, 60) + "'");
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  if (n_genes_ > most || n_cells_ >= std::numeric_limits<std::uint32_t>::max())
    throw input_error("bad-shape", object_, "claims " + std::to_string(n_genes_) + " x " + std::to_string(n_cells_));
  std::int64_t places = 0;
  if (!__builtin_mul_overflow(n_genes_, n_cells_, &places) && n_entries_ > places)
    throw bad("line " + std::to_string(line_) + ": claims " + std::to_string(n_entries_) + " entries for " + std::to_string(places) +
              " places");
  n_taken_ = 0;
}

void MtxReader::skip_blanks() {
  while (*at_ == ' ' || *at_ == '\t') ++at_;
}

void MtxReader::end_line() {
  skip_blanks();
  if (*at_ == '\r') ++at_;
  if (*at_ != '\n') fail_line();
  if (at_ < end_) ++at_;
}

// Leaves at_ at the first line that holds something, with room for a whole line behind it; or at end_.
void MtxReader::skip_empty_lines() {
  for (;;) {
    if (static_cast<std::size_t>(end_ - at_) < longest_line) refill();
    if (at_ == end_) return;
    ++line_;
    skip_blanks();
    if (*at_ == '%') at_ = std::find(at_, end_, '\n');
    if (!at_line_end()) return;
    end_line();
  }
}

bool MtxReader::take_index(std::int64_t& index) {
  skip_blanks();
  const auto [stop, error] = std::from_chars(at_, end_, index);
  if (error != std::errc{}) return false;
  at_ += stop - at_;
  return true;
}

bool MtxReader::take_value(double& value) {
  skip_blanks();
  if (*at_ == '+') ++at_;
  std::int64_t whole = 0;
  const auto integer = std::from_chars(at_, end_, whole);
  const bool is_integer =
      integer.ec == std::errc{} && (*integer.ptr == '\n' || *integer.ptr == ' ' || *integer.ptr == '\r' || *integer.ptr == '\t');
  if (is_integer) {
    value = static_cast<double>(whole);
    if (whole_numbers_ && (whole > most_exact_whole || whole < -most_exact_whole)) fail_exact();
    at_ += integer.ptr - at_;
    return true;
  }
  if (whole_numbers_ && integer.ec == std::errc::result_out_of_range) fail_exact();
  const auto real = std::from_chars(at_, end_, value);
  if (real.ec == std::errc::invalid_argument) return false;
  if (real.ec == std::errc::result_out_of_range) value = std::strtod(at_, nullptr);  // to zero or infinity; the line end stops it
  at_ += real.ptr - at_;
  return true;
}

bool MtxReader::next(MtxEntry& entry) {
  skip_empty_lines();
  if (at_ == end_) {
    check_count();
    return false;
  }
  char* const line_start = at_;
  std::int64_t gene = 0, cell = 0;
  entry.value = 1;
  const bool complete = take_index(gene) && take_index(cell) && (pattern_ || take_value(entry.value));
  if (!complete) {
    at_ = line_start;
    fail_line();
  }
  end_line();
  if (gene < 1 || gene > n_genes_) fail_index("row", gene, n_genes_);
  if (cell < 1 || cell > n_cells_) fail_index("column", cell, n_cells_);
  entry.gene = static_cast<std::uint32_t>(gene - 1);
  entry.cell = static_cast<std::uint32_t>(cell - 1);
  if (++n_taken_ > n_entries_)
    throw bad("line " + std::to_string(line_) + ": more entries than the " + std::to_string(n_entries_) + " of the header");
  return true;
}

void MtxReader::check_count() {
  if (n_taken_ != n_entries_)
    throw bad("has " + std::to_string(n_taken_) + " entries, expected the " + std::to_string(n_entries_) + " of the header");
}

void MtxReader::fail_line() const {
  const std::size_t shown = std::min<std::size_t>(60, static_cast<std::size_t>(end_ - at_));
  const std::string rest(at_, std::find(at_, at_ + shown, '\n'));
  throw bad("line " + std::to_string(line_) + ": found '" + rest + "', expected " + (pattern_ ? "ROW COLUMN" : "ROW COLUMN VALUE"));
}

void MtxReader::fail_exact() const { throw value_too_large(object_, "line " + std::to_string(line_) + ": an integer"); }

void MtxReader::fail_index(const char* what, std::int64_t index, std::int64_t most) const {
  throw input_error("bad-index", object_,
                    "line " + std::to_string(line_) + ": " + what + " " + std::to_string(index) + ", expected 1 to " + std::to_string(most),
                    "write or download the file again");
}

}  // namespace quern::io
