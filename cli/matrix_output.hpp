// A matrix with names of its rows and columns on its way to a file: .npy with the names beside it, or a table.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "host/core/chunk_source.hpp"
#include "io/npy/npy_writer.hpp"
#include "io/tables/text_output.hpp"

namespace quern::cli {

// What names its rows or columns.
struct MatrixNames {
  std::string what;  // "gene", "cell": head of the column of names
  NameSource* names = nullptr;
};

class MatrixOutput {
 public:
  // Before the input is opened. usage_error: "missing-option", "unknown-extension" (neither .npy nor .tsv nor .tsv.gz nor "-").
  MatrixOutput(std::string target, Session& session);
  // Creates what is written, so that bad targets are refused before any work. Reads the names of the columns of a table.
  void open(ValueType type, std::int64_t n_rows, std::int64_t n_cols);
  // The names; then the rows, in order, then commit. All of them are called once.
  void write_names(const MatrixNames& rows, const MatrixNames& columns);
  void append(std::span<const double> row_after_row);
  void append(std::span<const float> row_after_row);
  void commit();

  static constexpr std::size_t buffer_bytes = 2 * io::TextOutput::buffer_bytes;
  std::vector<std::string> files() const;  // that are written
  bool is_npy() const { return npy_name_; }

 private:
  std::unique_ptr<io::TextOutput> open_text(const std::string& target);
  template <class V>
  void append_table(std::span<const V> values);
  std::string target_;
  Session& session_;
  bool npy_name_ = false;
  std::int64_t n_cols_ = 0, next_row_ = 0;
  std::optional<io::NpyWriter> npy_;
  std::unique_ptr<io::TextOutput> table_, rows_, columns_;  // either the table, or the names beside the .npy
  NameSource* row_names_ = nullptr;
};

}  // namespace quern::cli
