#include "io/npy/npy_reader.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

constexpr std::size_t piece_bytes = std::size_t{64} << 10;

// The size of a regular file.
std::int64_t size_of_file(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) {
    const bool hidden = errno == EACCES;
    throw input_error(hidden ? "no-permission" : "not-found", "", std::string("the file cannot be opened: ") + std::strerror(errno));
  }
  if (!S_ISREG(found.st_mode)) throw input_error("not-a-file", "", "this is no file", "an .npy is read from a file");
  if (access(path.c_str(), R_OK) != 0) throw input_error("no-permission", "", "no permission to read this file");
  return found.st_size;
}

template <class Word>
Word swapped(Word word) {
  if constexpr (sizeof(Word) == 4)
    return __builtin_bswap32(word);
  else
    return __builtin_bswap64(word);
}

template <class Float, class Word>
double number_at(const std::byte* at, bool swap) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return static_cast<double>(std::bit_cast<Float>(swap ? swapped(word) : word));
}

// Runs `work`; what it throws names the file.
template <class Work>
auto in_file(const std::string& path, Work work) {
  try {
    return work();
  } catch (Error& error) {
    error.in_file(path);
    throw;
  }
}

}  // namespace

NpyReader::NpyReader(const std::string& path) : path_(path) {
  in_file(path, [&] {
    const std::int64_t file_bytes = size_of_file(path);
    bytes_ = std::make_unique<FileBytes>(path, "");
    const auto read_head = [&](std::size_t n) {
      std::vector<std::byte> head(std::min(n, static_cast<std::size_t>(file_bytes)));
      bytes_->read(0, head);
      return head;
    };
    header_ = parse_npy_header(read_head(npy_data_offset(read_head(npy_prefix_bytes))));
    if (header_.shape.empty() || header_.shape.size() > 2)
      throw input_error("bad-shape", "", "an array of " + std::to_string(header_.shape.size()) + " dimensions, expected a matrix");
    const std::int64_t expected = static_cast<std::int64_t>(header_.data_offset) + header_.data_bytes();
    if (file_bytes < expected)
      throw input_error("truncated", "",
                        "the file has " + std::to_string(file_bytes) + " bytes, its header tells of " + std::to_string(expected),
                        "the file is cut short: copy or write it again");
    if (file_bytes > expected)
      throw input_error("bad-npy", "", "the file goes on after its array", "write one array into one file with numpy.save");
  });
}

// Values first_value .. first_value + n of the file, to every stride-th place of `out`.
void NpyReader::read_run(std::int64_t first_value, std::int64_t n, double* out, std::int64_t stride) {
  std::array<std::byte, piece_bytes> piece;
  const std::size_t width = size_of(header_.type);
  const bool swap = header_.big_endian != (std::endian::native == std::endian::big);
  for (std::int64_t done = 0; done < n;) {
    const std::int64_t count = std::min(n - done, static_cast<std::int64_t>(piece_bytes / width));
    const auto bytes = std::span(piece).first(static_cast<std::size_t>(count) * width);
    bytes_->read(static_cast<std::int64_t>(header_.data_offset) + (first_value + done) * static_cast<std::int64_t>(width), bytes);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::byte* at = bytes.data() + static_cast<std::size_t>(i) * width;
      out[(done + i) * stride] = width == 4 ? number_at<float, std::uint32_t>(at, swap) : number_at<double, std::uint64_t>(at, swap);
    }
    done += count;
  }
}

void NpyReader::read(RowRange range, std::span<double> out) {
  in_file(path_, [&] {
    if (out.size() != static_cast<std::size_t>(range.size() * n_cols()))
      throw Error(ErrorKind::internal, "bad-range", "", "rows of an .npy");
    if (!header_.fortran_order) return read_run(range.first * n_cols(), range.size() * n_cols(), out.data(), 1);
    for (std::int64_t column = 0; column < n_cols(); ++column)
      read_run(column * n_rows() + range.first, range.size(), out.data() + column, n_cols());
  });
}

}  // namespace quern::io
