#include "cli/values_on.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "cli/normalize_run.hpp"
#include "cli/normalize_work.hpp"
#include "cli/qc_run.hpp"
#include "cli/streaming.hpp"
#include "cli/suggest.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

constexpr const char* choices = "stored, counts-per:N or log1p:N, with N a number or median; or log1p-cpm";

double parse_target(const std::string& text) {
  if (text == "median") return 0;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [used, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc() || used != end || !std::isfinite(value) || value <= 0)
    throw usage_error("bad-number", "--on", "'" + text + "' is neither median nor a number above 0", "for example --on log1p:1e4");
  return value;
}

Error no_such_values(const std::string& text) {
  std::string guess = suggestion(text.substr(0, text.find(':')), {"stored", "counts", "normalized", "counts-per", "log1p", "log1p-cpm"});
  if (!guess.empty()) guess += " ";
  return usage_error("bad-value", "--on", "'" + text + "' names no values", guess + "(" + choices + ")");
}

}  // namespace

std::string ValuesOn::text() const {
  if (!mapped()) return "stored";
  const std::string name = kind == Kind::log1p ? "log1p:" : "counts-per:";
  return name + (target == 0 ? "median" : fmt::format("{}", target));
}

void declare_values_on(OptionSet& set, std::string& target) {
  set.text(
      "--on", "VALUES", target,
      "the values used: stored (default), counts-per:N or log1p:N (each cell brought to a total of N, a number or median; then log1p); "
      "log1p-cpm is log1p:1e6");
}

ValuesOn parse_values_on(const std::string& text) {
  using Kind = ValuesOn::Kind;
  if (text == "stored" || text == "counts") return {};
  if (text == "normalized") return {Kind::counts_per, 0};
  if (text == "log1p-cpm") return {Kind::log1p, 1e6};
  for (const auto& [name, kind] : {std::pair{"counts-per", Kind::counts_per}, {"log1p", Kind::log1p}}) {
    const std::string start = std::string(name) + ":";
    if (text == name)
      throw usage_error("bad-value", "--on", "'" + text + "' does not say what a cell's values are to add up to",
                        fmt::format("for example --on {}1e4, or {}median", start, start));
    if (text.starts_with(start)) return {kind, parse_target(text.substr(start.size()))};
  }
  throw no_such_values(text);
}

void warn_of_values_on(const ValuesOn& on, const io::FileInfo& info, Session& session) {
  if (on.mapped()) warn_before_normalizing(info, session);
}

void warn_of_stored_values(const ValuesOn& on, const ChunkFacts& stored, const io::FileInfo& info, const std::string& matrix,
                           const MatrixShape& shape, Session& session) {
  if (on.mapped()) warn_of_values(stored, stored.whole, {matrix, shape, shape.nnz, info.has_raw}, session);
}

ValuesSource::ValuesSource(std::unique_ptr<ChunkSource> source, const ValuesOn& on, ValueType rounded)
    : source_(std::move(source)), on_(on), rounded_(rounded) {
  if (on_.mapped() && !on_.needs_median()) map_values();
}

ValuesSource::ValuesSource(std::unique_ptr<ChunkSource> source, const ValuesOn& on, const io::MatrixInfo& matrix)
    : ValuesSource(std::move(source), on, matrix.data.type == "float64" ? ValueType::f64 : ValueType::f32) {}

void ValuesSource::map_values() {
  ValueMap map;
  map.logarithm = on_.kind == ValuesOn::Kind::log1p;
  auto mapped = std::make_unique<MappedSource>(std::move(source_), MappedValues{map, on_.target, rounded_});
  mapped_ = mapped.get();
  source_ = std::move(mapped);
}

void ValuesSource::find_target(MemoryBudget& budget, const PipelineOptions& options, RunReport& all) {
  if (!on_.needs_median()) return;
  const MatrixShape shape = source_->shape();
  const std::size_t bytes = static_cast<std::size_t>(shape.n_rows) * sizeof(double);
  const Claim claim = budget.claim("totals of the cells", bytes);
  std::vector<double> totals(static_cast<std::size_t>(shape.n_rows));
  CollectTotals work(shape.n_cols, {}, totals);
  const auto walk = [&](ValueType type) { add(all, walk_chunks(*source_, type, work, pageable_memory(), budget, options)); };
  try {
    walk(source_->natural_value_type());
  } catch (const NeedsWiderValues&) {
    walk(ValueType::f64);
  }
  const Claim copy = budget.claim("totals of the cells", bytes);
  on_.target = median_of_positive(totals);
  map_values();
}

}  // namespace quern::cli
