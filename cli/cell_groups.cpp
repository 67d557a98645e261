// Cells grouped by their labels.
#include <fmt/format.h>

#include <algorithm>

#include "cli/group_sums.hpp"
#include "cli/suggest.hpp"
#include "host/core/error.hpp"
#include "io/h5ad/labels.hpp"

namespace quern::cli {
namespace {

constexpr std::size_t most_columns_named = 10;

const io::ColumnInfo& find_column(const io::FrameInfo& obs, const std::string& name, const std::string& option) {
  std::vector<std::string> names;
  for (const io::ColumnInfo& column : obs.columns) {
    if (column.name == name) return column;
    names.push_back(column.name);
  }
  std::string known;
  for (std::size_t i = 0; i < names.size() && i < most_columns_named; ++i) known += (i ? ", " : "") + names[i];
  if (names.size() > most_columns_named) known += fmt::format(" and {} more", names.size() - most_columns_named);
  throw usage_error("no-such-column", option, "obs has no column '" + name + "'" + (known.empty() ? "" : "; it has " + known),
                    suggestion(name, names));
}

bool holds_labels(const std::string& kind) {
  return kind == "categorical" || kind == "string" || kind == "bool" || kind == "nullable-string" || kind == "nullable-bool";
}

// Leaves out levels that no cell has.
void keep_used(io::Labels& labels) {
  std::vector<std::int32_t> place(labels.levels.size(), -1);
  for (const std::int32_t level : labels.levels_of)
    if (level >= 0) place[static_cast<std::size_t>(level)] = 0;
  std::vector<std::string> used;
  for (std::size_t i = 0; i < place.size(); ++i) {
    if (place[i] < 0) continue;
    place[i] = static_cast<std::int32_t>(used.size());
    used.push_back(std::move(labels.levels[i]));
  }
  labels.levels = std::move(used);
  for (std::int32_t& level : labels.levels_of)
    if (level >= 0) level = place[static_cast<std::size_t>(level)];
}

// The levels of all columns as one number, -1 where one is missing.
std::int64_t key_of(const std::vector<io::Labels>& labels, std::size_t cell) {
  std::int64_t key = 0;
  for (const io::Labels& column : labels) {
    const std::int32_t level = column.levels_of[cell];
    if (level < 0) return -1;
    key = key * static_cast<std::int64_t>(column.levels.size()) + level;
  }
  return key;
}

std::vector<std::int64_t> keys_in_use(const std::vector<io::Labels>& labels) {
  std::vector<std::int64_t> keys(labels.front().levels_of.size());
  for (std::size_t cell = 0; cell < keys.size(); ++cell) keys[cell] = key_of(labels, cell);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  if (!keys.empty() && keys.front() < 0) keys.erase(keys.begin());
  return keys;
}

void assign_groups(CellGroups& groups, const std::vector<io::Labels>& labels, const std::vector<std::int64_t>& keys) {
  groups.n_cells.assign(keys.size(), 0);
  for (std::size_t cell = 0; cell < groups.of_cell.size(); ++cell) {
    const std::int64_t key = key_of(labels, cell);
    if (key < 0) {
      groups.of_cell[cell] = -1;
      continue;
    }
    const auto group = std::lower_bound(keys.begin(), keys.end(), key) - keys.begin();
    groups.of_cell[cell] = static_cast<std::int32_t>(group);
    ++groups.n_cells[static_cast<std::size_t>(group)];
  }
}

void name_groups(CellGroups& groups, std::vector<io::Labels>& labels, std::vector<std::int64_t> keys) {
  groups.codes.resize(labels.size());
  for (std::size_t i = labels.size(); i-- > 0;) {
    const auto n_levels = static_cast<std::int64_t>(labels[i].levels.size());
    groups.codes[i].resize(keys.size());
    for (std::size_t group = 0; group < keys.size(); ++group) {
      groups.codes[i][group] = static_cast<std::int32_t>(keys[group] % n_levels);
      keys[group] /= n_levels;
    }
  }
  for (io::Labels& column : labels) {
    groups.levels.push_back(std::move(column.levels));
    for (Claim& claim : column.claims) groups.claims.push_back(std::move(claim));
  }
}

}  // namespace

std::string CellGroups::name(std::size_t group) const {
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) text += (i ? "_" : "") + levels[i][static_cast<std::size_t>(codes[i][group])];
  return text;
}

std::vector<std::string> split_columns(const std::string& text, const std::string& option) {
  std::vector<std::string> columns;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const std::string column = text.substr(start, end - start);
    if (column.empty()) throw usage_error("bad-value", option, "'" + text + "' names an empty column");
    if (std::find(columns.begin(), columns.end(), column) != columns.end())
      throw usage_error("bad-value", option, "'" + column + "' is named twice");
    columns.push_back(column);
    start = end + 1;
  }
  return columns;
}

CellGroups read_groups(io::Input& input, const std::vector<std::string>& columns, const std::string& option, MemoryBudget& budget) {
  if (columns.size() > 2) throw usage_error("bad-value", option, "cells are grouped by one or two columns");
  std::vector<io::Labels> labels;
  const bool has_labels = input.info().format == io::Format::h5ad;  // 10x knows nothing of its cells
  const io::FrameInfo obs = has_labels ? input.info().obs : io::FrameInfo();
  for (const std::string& name : columns) {
    const io::ColumnInfo& column = find_column(obs, name, option);
    if (!holds_labels(column.kind))
      throw usage_error("numeric-labels", option, "obs/" + name + " holds no labels but numbers (" + column.kind + ")",
                        "cells are grouped by categories or texts");
    labels.push_back(input.labels(name, budget));
    const auto n_rows = static_cast<std::int64_t>(labels.back().levels_of.size());
    if (n_rows != input.matrix().rows)
      throw input_error("bad-shape", "obs/" + name, fmt::format("{} labels for {} cells", n_rows, input.matrix().rows));
    keep_used(labels.back());
  }
  CellGroups groups;
  groups.columns = columns;
  const std::size_t n_cells = labels.front().levels_of.size();
  groups.claims.push_back(budget.claim("groups of the cells", n_cells * sizeof(std::int32_t)));
  groups.of_cell.resize(n_cells);
  const Claim keys_claim = budget.claim("groups of the cells", n_cells * sizeof(std::int64_t));
  const std::vector<std::int64_t> keys = keys_in_use(labels);
  if (keys.empty()) throw input_error("no-labels", "obs/" + columns.front(), "no cell has a label to group it by");
  groups.claims.push_back(
      budget.claim("groups of the cells", keys.size() * (sizeof(std::int64_t) + columns.size() * sizeof(std::int32_t))));
  assign_groups(groups, labels, keys);
  name_groups(groups, labels, keys);
  return groups;
}

}  // namespace quern::cli
