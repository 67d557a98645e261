// One-dimensional compound datasets (the obs and var of anndata <= 0.6), row after row.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/h5ad_write/chunked_dataset.hpp"

namespace quern::io {

enum class FieldKind { text, int8, int16, int32, int64, float32, float64 };

struct CompoundField {
  std::string name;
  FieldKind kind = FieldKind::text;
  std::size_t text_bytes = 0;  // of the longest text
};

class CompoundTable {
 public:
  CompoundTable(hid_t parent, const std::string& parent_path, const std::string& name, const std::vector<CompoundField>& fields,
                std::int64_t n_rows, const Compression& compression);
  std::size_t row_bytes() const { return row_.size(); }

  // Fields of the row being filled, by position; one not set is zero or empty. A text is cut at text_bytes.
  void set_text(std::size_t field, const std::string& text);
  void set_integer(std::size_t field, std::int64_t value);  // to the field's width
  void set_real(std::size_t field, double value);
  void end_row();
  void finish();  // writes and closes; internal error when rows are missing

 private:
  struct Column {
    FieldKind kind;
    std::size_t offset, bytes;
  };
  std::vector<Column> columns_;
  std::vector<std::byte> row_;
  ChunkAppender rows_;
};

}  // namespace quern::io
