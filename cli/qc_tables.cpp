#include "cli/qc_tables.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

#include "host/core/error.hpp"
#include "host/ops/log1p.hpp"
#include "io/names/name_sources.hpp"
#include "io/tables/field_text.hpp"

namespace quern::cli {
namespace {

using io::append_number;
using io::append_text;

constexpr std::int64_t genes_at_once = 8192, genes_in_piece = 1024;

void add(std::string& text, double number) {
  text += '\t';
  append_number(text, number);
}
void add(std::string& text, std::int64_t number) {
  text += '\t';
  append_number(text, number);
}
void add(std::string& text, Total total, bool integer_mode) {
  if (integer_mode)
    add(text, total.whole);
  else
    add(text, total.real);
}
void add_title(std::string& text, const std::string& title) {
  text += '\t';
  append_text(text, title);
}

}  // namespace

void refuse_other_tables(const std::string& target, const std::string& option) {
  const std::string packed = target.ends_with(".gz") ? ".gz" : "";
  const std::string name = target.substr(0, target.size() - packed.size());
  for (const std::string other : {".csv", ".xlsx", ".xls", ".ods", ".json", ".parquet"})
    if (name.ends_with(other))
      throw usage_error("unknown-extension", option, target + ": tables are tab-separated text",
                        "name it " + name.substr(0, name.size() - other.size()) + ".tsv" + packed);
}

double percent_of(double part, double total) { return part / total * 100; }

std::string CellsTable::header() const {
  std::string text = "cell\tn_genes_by_counts\tlog1p_n_genes_by_counts\ttotal_counts\tlog1p_total_counts";
  for (const std::int32_t n : columns_.percent_top) add_title(text, "pct_counts_in_top_" + std::to_string(n) + "_genes");
  for (const std::string& name : columns_.set_names)
    for (const char* prefix : {"total_counts_", "log1p_total_counts_", "pct_counts_"}) add_title(text, prefix + name);
  if (columns_.legacy_names) {
    text += "\tn_counts\tn_genes";
    for (const std::string& name : columns_.set_names) add_title(text, "percent_" + name);
  }
  return text + "\n";
}

void CellsTable::begin(bool) {
  output_.restart();
  output_.write(header());
}

void CellsTable::append_row(const RowPacket& packet, std::size_t row, std::string& text) const {
  const RowBlock& block = packet.block;
  const bool whole = block.integer_mode;
  const auto n_top = static_cast<std::size_t>(block.n_top), n_sets = static_cast<std::size_t>(block.n_sets);
  const std::int64_t n_nonzero = block.n_nonzero[row];
  const double total = as_real(block.totals[row], whole);
  const Total *top = block.top + row * n_top, *sets = block.sets + row * n_sets;
  append_text(text, packet.names[row]);
  add(text, n_nonzero);
  add(text, log1p_exact_order(static_cast<double>(n_nonzero)));
  add(text, block.totals[row], whole);
  add(text, log1p_exact_order(total));
  for (std::size_t i = 0; i < n_top; ++i) add(text, percent_of(as_real(top[i], whole), total));
  for (std::size_t i = 0; i < n_sets; ++i) {
    const double part = as_real(sets[i], whole);
    add(text, sets[i], whole);
    add(text, log1p_exact_order(part));
    add(text, percent_of(part, total));
  }
  if (columns_.legacy_names) {
    add(text, block.totals[row], whole);
    add(text, n_nonzero);
    for (std::size_t i = 0; i < n_sets; ++i) add(text, as_real(sets[i], whole) / total);
  }
  text += '\n';
}

std::size_t CellsTable::text_bytes_per_row() const {
  constexpr std::size_t longest_number = 25;
  const std::size_t n_columns = 6 + columns_.percent_top.size() + 4 * columns_.set_names.size();
  return n_columns * longest_number;
}

void CellsTable::prepare(RowPacket& packet) const {
  packet.text.clear();
  const auto n_rows = static_cast<std::size_t>(packet.block.rows.size());
  for (std::size_t row = 0; row < n_rows; ++row) append_row(packet, row, packet.text);
}

void CellsTable::rows(RowPacket& packet) { output_.write(packet.text); }

std::string GenesTable::header() const {
  std::string text = "gene\tn_cells_by_counts\tmean_counts\tlog1p_mean_counts\tpct_dropout_by_counts\ttotal_counts\tlog1p_total_counts";
  if (columns_.moments) text += "\tmean\tvar\tmean_log1p_cpm\tvar_log1p_cpm";
  if (columns_.legacy_names) text += "\tn_cells\tn_counts";
  return text + "\n";
}

void GenesTable::append_row(const ColumnResults& results, std::size_t gene, std::string& text) const {
  const bool whole = results.integer_mode;
  const auto n_obs = static_cast<double>(columns_.n_obs);
  const double total = as_real(results.totals[gene], whole), mean = total / n_obs;
  const std::int64_t n_cells = results.n_nonzero[gene];
  add(text, n_cells);
  add(text, mean);
  add(text, log1p_exact_order(mean));
  add(text, (1 - static_cast<double>(n_cells) / n_obs) * 100);
  add(text, results.totals[gene], whole);
  add(text, log1p_exact_order(total));
  if (columns_.moments)
    for (const auto* values : {&results.mean, &results.var, &results.mean_log1p_cpm, &results.var_log1p_cpm}) add(text, (*values)[gene]);
  if (columns_.legacy_names) {
    add(text, n_cells);
    add(text, results.totals[gene], whole);
  }
  text += '\n';
}

void GenesTable::format(const ColumnResults& results, std::int64_t first, std::span<const std::string> names, std::string& text) const {
  text.clear();
  for (std::size_t i = 0; i < names.size(); ++i) {
    append_text(text, names[i]);
    append_row(results, static_cast<std::size_t>(first) + i, text);
  }
}

void GenesTable::finish(const ColumnResults& results) {
  output_.write(header());
  std::vector<std::string> names;
  std::vector<std::string> texts(genes_at_once / genes_in_piece);
  for (std::int64_t first = 0; first < names_.size(); first += static_cast<std::int64_t>(names.size())) {
    io::read_some(names_, {first, std::min(first + genes_at_once, names_.size())}, names);
    const std::size_t n_pieces = (names.size() + genes_in_piece - 1) / genes_in_piece;
    const auto format_piece = [&](std::size_t piece) {
      const std::size_t begin = piece * genes_in_piece, length = std::min(names.size() - begin, std::size_t{genes_in_piece});
      format(results, first + static_cast<std::int64_t>(begin), std::span(names).subspan(begin, length), texts[piece]);
    };
    tbb::task_arena(threads_).execute([&] { tbb::parallel_for(std::size_t{0}, n_pieces, format_piece); });
    for (std::size_t piece = 0; piece < n_pieces; ++piece) output_.write(texts[piece]);
  }
}

}  // namespace quern::cli
