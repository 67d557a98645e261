#include "cli/matrix_output.hpp"

#include <algorithm>

#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"
#include "io/tables/field_text.hpp"

namespace quern::cli {
namespace {

constexpr const char* npy_ending = ".npy";

std::string beside(const std::string& target, const char* what) {
  return target.substr(0, target.size() - std::string(npy_ending).size()) + what;
}

void write_list(io::TextOutput& out, const MatrixNames& names) {
  out.write(names.what + "\n");
  std::string line;
  io::for_each_name(*names.names, [&](const std::string& name, std::int64_t) {
    line.clear();
    io::append_text(line, name);
    out.write(line += '\n');
  });
}

}  // namespace

MatrixOutput::MatrixOutput(std::string target, Session& session) : target_(std::move(target)), session_(session) {
  if (target_.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
  npy_name_ = target_.ends_with(npy_ending);
  const bool is_table = target_ == "-" || target_.ends_with(".tsv") || target_.ends_with(".tsv.gz");
  if (!npy_name_ && !is_table)
    throw usage_error("unknown-extension", "--output", "'" + target_ + "' ends in neither .npy nor .tsv nor .tsv.gz");
}

std::unique_ptr<io::TextOutput> MatrixOutput::open_text(const std::string& target) { return session_.open_output(target); }

std::vector<std::string> MatrixOutput::files() const {
  if (!npy_name_) return {target_};
  return {target_, beside(target_, ".rows.tsv"), beside(target_, ".cols.tsv")};
}

void MatrixOutput::open(ValueType type, std::int64_t n_rows, std::int64_t n_cols) {
  n_cols_ = n_cols;
  if (!npy_name_) {
    table_ = open_text(target_);
    return;
  }
  npy_.emplace(target_, session_.output_options(), type, std::vector<std::int64_t>{n_rows, n_cols});
  session_.warn(npy_->warnings());
  rows_ = open_text(beside(target_, ".rows.tsv"));
  columns_ = open_text(beside(target_, ".cols.tsv"));
}

void MatrixOutput::write_names(const MatrixNames& rows, const MatrixNames& columns) {
  if (npy_name_) {
    write_list(*rows_, rows);
    write_list(*columns_, columns);
    return;
  }
  row_names_ = rows.names;
  std::string field = rows.what;
  io::for_each_name(*columns.names, [&](const std::string& name, std::int64_t) {
    table_->write(field += '\t');
    field.clear();
    io::append_text(field, name);
  });
  table_->write(field += '\n');
}

template <class V>
void MatrixOutput::append_table(std::span<const V> values) {
  const auto n_cols = static_cast<std::size_t>(n_cols_);
  const auto n_rows = static_cast<std::int64_t>(values.size() / n_cols);
  std::string line;
  io::for_each_name(*row_names_, {next_row_, next_row_ + n_rows}, [&](const std::string& name, std::int64_t row) {
    line.clear();
    io::append_text(line, name);
    for (const V value : values.subspan(static_cast<std::size_t>(row - next_row_) * n_cols, n_cols)) {
      line += '\t';
      io::append_number(line, static_cast<double>(value));
    }
    table_->write(line += '\n');
  });
  next_row_ += n_rows;
}

void MatrixOutput::append(std::span<const double> row_after_row) { npy_ ? npy_->append(row_after_row) : append_table(row_after_row); }

void MatrixOutput::append(std::span<const float> row_after_row) { npy_ ? npy_->append(row_after_row) : append_table(row_after_row); }

void MatrixOutput::commit() {
  if (npy_) {
    rows_->commit();
    columns_->commit();
    npy_->commit();
  } else {
    table_->commit();
  }
}

}  // namespace quern::cli
