// Reads the entries of a MatrixMarket coordinate file (genes x cells), plain or gzipped, one after the other.
#pragma once
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/error.hpp"

namespace quern::io {

struct MtxEntry {  // from 0
  std::uint32_t cell = 0, gene = 0;
  double value = 0;
};

class MtxReader {
 public:
  // Reads the header. Throws input_error: "unreadable", "bad-mtx" (not MatrixMarket, broken header), "unknown-encoding" (array, complex,
  // symmetric ...).
  explicit MtxReader(const std::string& path);
  static constexpr std::size_t memory_bytes = std::size_t{1} << 20;  // at most, zlib's included

  bool whole_numbers() const { return whole_numbers_; }  // integer or pattern, not real
  std::int64_t n_genes() const { return n_genes_; }
  std::int64_t n_cells() const { return n_cells_; }
  std::int64_t n_entries() const { return n_entries_; }

  void restart();  // before the first entry
  // The next entry; false after the last. Throws input_error naming the line: "bad-mtx" (not an entry, more or fewer entries than the
  // header says), "bad-index", "truncated" and "corrupt-gzip" for the file as a whole.
  bool next(MtxEntry& entry);
  std::int64_t bytes_read() const { return bytes_before_ + (file_ ? gzoffset(file_.get()) : 0); }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose_r(file); }
  };
  void open();
  void read_header();
  std::string header_line();
  void refill();
  void skip_empty_lines();
  void skip_blanks();
  bool take_index(std::int64_t& index);
  bool take_value(double& value);
  void end_line();
  bool at_line_end() const { return *at_ == '\n' || *at_ == '\r'; }
  void check_count();
  [[noreturn]] void fail_line() const;
  [[noreturn]] void fail_exact() const;
  [[noreturn]] void fail_index(const char* what, std::int64_t index, std::int64_t most) const;
  Error bad(const std::string& text) const;

  std::string path_, object_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::vector<char> buffer_;
  char *at_ = nullptr, *end_ = nullptr;  // unread part; *end_ is a line end
  bool ended_ = false, pattern_ = false, whole_numbers_ = false;
  std::int64_t n_genes_ = 0, n_cells_ = 0, n_entries_ = 0, n_taken_ = 0, line_ = 0, bytes_before_ = 0;
};

}  // namespace quern::io
