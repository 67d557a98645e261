#include "io/npy/npy_header.hpp"

#include <algorithm>
#include <limits>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

[[noreturn]] void throw_bad(const std::string& found) {
  throw input_error("bad-npy", "", found, "write the array with numpy.save, as float32 or float64");
}

[[noreturn]] void throw_type(const std::string& found) {
  throw input_error("bad-type", "", "the values are " + found + ", expected float32 or float64",
                    "numpy.save(FILE, array.astype('float64')) writes what can be read");
}

// The Python dictionary of a header. Only what numpy.save writes: text, True, False, tuples of whole numbers.
class DictReader {
 public:
  explicit DictReader(std::string_view text) : text_(text) {}

  NpyHeader read() {
    NpyHeader header;
    bool has_type = false, has_order = false, has_shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = read_text();
      expect(':');
      if (key == "descr" && !has_type) {
        read_type(header);
        has_type = true;
      } else if (key == "fortran_order" && !has_order) {
        header.fortran_order = read_truth();
        has_order = true;
      } else if (key == "shape" && !has_shape) {
        header.shape = read_shape();
        has_shape = true;
      } else {
        throw_bad("the header has the unknown or repeated key '" + key + "'");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    if (!has_type || !has_order || !has_shape) throw_bad("the header does not tell type, order and shape");
    skip_space();
    if (at_ != text_.size()) throw_bad("the header goes on after its dictionary");
    return header;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  bool take(char wanted) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) throw_bad(std::string("the header is no dictionary of NumPy's: '") + wanted + "' is missing");
  }
  std::string read_text() {
    skip_space();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') throw_bad("the header is no dictionary of NumPy's: a text is missing");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) throw_bad("a text in the header does not end");
    std::string text(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return text;
  }
  bool read_truth() {
    skip_space();
    for (const auto& [word, meaning] : {std::pair{std::string_view("True"), true}, {std::string_view("False"), false}})
      if (text_.substr(at_, word.size()) == word) {
        at_ += word.size();
        return meaning;
      }
    throw_bad("fortran_order is neither True nor False");
  }
  void read_type(NpyHeader& header) {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') throw_type("records of several fields");
    const std::string type = read_text();
    const bool big = type.starts_with('>');
    const std::string name = big || type.starts_with('<') ? type.substr(1) : type;
    if (name != "f4" && name != "f8") throw_type(type.ends_with('O') ? "Python objects" : "of type '" + type + "'");
    header.type = name == "f4" ? ValueType::f32 : ValueType::f64;
    header.big_endian = big;
  }
  std::int64_t read_whole() {
    skip_space();
    const std::size_t begin = at_;
    std::int64_t number = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (number > (std::numeric_limits<std::int64_t>::max() - 9) / 10) throw_bad("a dimension in the header is beyond 2^63");
      number = number * 10 + (text_[at_] - '0');
    }
    if (at_ == begin) throw_bad("the shape is no tuple of whole numbers");
    return number;
  }
  std::vector<std::int64_t> read_shape() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!take(')')) {
      shape.push_back(read_whole());
      if (!take(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void check_size(const NpyHeader& header) {
  std::int64_t room = std::numeric_limits<std::int64_t>::max() / 16;
  for (const std::int64_t length : header.shape) {
    if (length == 0) return;
    room /= length;
  }
  if (room == 0) throw_bad("the shape in the header is larger than any file");
}

}  // namespace

std::int64_t NpyHeader::n_values() const {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::int64_t n = 1;
  for (const std::int64_t length : shape) n *= length;
  return n;
}

std::size_t npy_data_offset(std::span<const std::byte> prefix) {
  const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(prefix[i]); };
  const bool is_npy = prefix.size() >= 10 && std::equal(magic.begin(), magic.end(), prefix.begin(), [](char c, std::byte b) {
                        return static_cast<unsigned char>(c) == std::to_integer<unsigned char>(b);
                      });
  if (!is_npy) throw_bad("this is no NumPy file: it does not begin as one");
  if (byte(6) < 1 || byte(6) > 3)
    throw_bad("version " + std::to_string(byte(6)) + " of the .npy format is unknown; versions 1 to 3 can be read");
  if (byte(6) == 1) return 10 + byte(8) + (byte(9) << 8U);
  if (prefix.size() < npy_prefix_bytes) throw_bad("the file ends in its header");
  const std::size_t length = byte(8) | byte(9) << 8U | byte(10) << 16U | byte(11) << 24U;
  if (length > most_npy_header_bytes) throw_bad("the header claims " + std::to_string(length) + " bytes");
  return npy_prefix_bytes + length;
}

NpyHeader parse_npy_header(std::span<const std::byte> head) {
  const std::size_t offset = npy_data_offset(head.first(std::min(head.size(), npy_prefix_bytes)));
  if (head.size() < offset) throw_bad("the file ends in its header");
  const std::size_t begin = std::to_integer<int>(head[6]) == 1 ? 10 : npy_prefix_bytes;
  const std::string_view text(reinterpret_cast<const char*>(head.data()) + begin, offset - begin);
  NpyHeader header = DictReader(text).read();
  header.data_offset = offset;
  check_size(header);
  return header;
}

std::string npy_head(ValueType type, std::span<const std::int64_t> shape) {
  constexpr std::size_t alignment = 64, prefix_bytes = 10;
  std::string dict = std::string("{'descr': '<") + (type == ValueType::f32 ? "f4" : "f8") + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) dict += ' ';
    dict += std::to_string(shape[i]);
    if (i + 1 < shape.size() || shape.size() == 1) dict += ',';
  }
  dict += "), }";
  const std::size_t used = prefix_bytes + dict.size() + 1;
  dict.append((alignment - used % alignment) % alignment, ' ');
  dict += '\n';
  std::string head(magic);
  head += '\1';
  head += '\0';
  head += static_cast<char>(dict.size() & 255U);
  head += static_cast<char>(dict.size() >> 8U);
  return head + dict;
}

}  // namespace quern::io
