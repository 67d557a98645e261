// The two tables of `quern qc`, as sinks: cells row by row, genes at the end. Names and order of the columns are scanpy's.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/core/sink.hpp"
#include "io/tables/text_output.hpp"

namespace quern::cli {

// A name that promises another kind of file than our tables are: usage_error("unknown-extension") naming `option`.
void refuse_other_tables(const std::string& target, const std::string& option);

// What both tables need to know of the run.
struct QcColumns {
  std::vector<std::int32_t> percent_top;
  std::vector<std::string> set_names;
  bool legacy_names = false;  // adds n_counts, n_genes, n_cells, percent_NAME
  bool moments = false;
  std::int64_t n_obs = 0;
};

// 100 * part / total, NaN for an empty cell.
double percent_of(double part, double total);
inline double as_real(Total total, bool integer_mode) { return integer_mode ? static_cast<double>(total.whole) : total.real; }

class CellsTable final : public Sink {
 public:
  CellsTable(QcColumns columns, io::TextOutput& output) : columns_(std::move(columns)), output_(output) {}
  bool wants_names() const override { return true; }
  std::size_t text_bytes_per_row() const;  // of the numbers
  void begin(bool integer_mode) override;
  void prepare(RowPacket& packet) const override;  // formats the rows
  void rows(RowPacket& packet) override;
  void finish(const ColumnResults&) override {}

 private:
  std::string header() const;
  void append_row(const RowPacket& packet, std::size_t row, std::string& text) const;
  QcColumns columns_;
  io::TextOutput& output_;
};

class GenesTable final : public Sink {
 public:
  // `names` is read in ranges when the run is over.
  GenesTable(QcColumns columns, NameSource& names, io::TextOutput& output, int threads)
      : columns_(std::move(columns)), names_(names), output_(output), threads_(threads) {}
  void begin(bool) override {}
  void rows(RowPacket&) override {}
  void finish(const ColumnResults& results) override;

 private:
  std::string header() const;
  void append_row(const ColumnResults& results, std::size_t gene, std::string& text) const;
  void format(const ColumnResults& results, std::int64_t first, std::span<const std::string> names, std::string& text) const;
  QcColumns columns_;
  NameSource& names_;
  io::TextOutput& output_;
  int threads_;
};

}  // namespace quern::cli
