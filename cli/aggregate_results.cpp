// What `quern aggregate` writes of its sums.
#include <algorithm>
#include <array>
#include <cstring>

#include "cli/aggregate_run.hpp"
#include "cli/digest.hpp"
#include "io/names/name_sources.hpp"
#include "io/tables/field_text.hpp"

namespace quern::cli {
namespace {

constexpr std::array all_funcs{GroupFunc::sum, GroupFunc::mean, GroupFunc::var, GroupFunc::count_nonzero};

template <class T, class Value>
void fill_row(std::int64_t n_genes, std::byte* out, Value value) {
  for (std::int64_t gene = 0; gene < n_genes; ++gene, out += sizeof(T)) {
    const T one = value(gene);
    std::memcpy(out, &one, sizeof one);
  }
}

void fill_layer_row(const GroupResults& results, GroupFunc func, std::int64_t group, std::byte* out) {
  const std::int64_t n_genes = results.fold.n_genes();
  if (results.is_whole(func))
    fill_row<std::int64_t>(n_genes, out, [&](std::int64_t gene) { return results.whole(func, group, gene); });
  else
    fill_row<double>(n_genes, out, [&](std::int64_t gene) { return results.real(func, group, gene); });
}

void append_value(std::string& text, const GroupResults& results, GroupFunc func, std::int64_t group, std::int64_t gene) {
  if (results.is_whole(func))
    io::append_number(text, results.whole(func, group, gene));
  else
    io::append_number(text, results.real(func, group, gene));
}

}  // namespace

const char* name_of(GroupFunc func) {
  constexpr std::array names{"sum", "mean", "var", "count_nonzero"};
  return names.at(static_cast<std::size_t>(func));
}

double GroupResults::real(GroupFunc func, std::int64_t group, std::int64_t gene) const {
  const std::int64_t n_cells = groups.n_cells[static_cast<std::size_t>(group)];
  if (func == GroupFunc::sum) return fold.real_sum(group, gene);
  return func == GroupFunc::mean ? fold.mean(group, gene, n_cells) : fold.mean_var(group, gene, n_cells).var;
}

std::int64_t GroupResults::whole(GroupFunc func, std::int64_t group, std::int64_t gene) const {
  return func == GroupFunc::sum ? fold.sum(group, gene).whole : fold.nonzero(group, gene);
}

io::NewCells aggregate_cells(const GroupResults& results, const std::vector<GroupFunc>& funcs) {
  const CellGroups& groups = results.groups;
  io::NewCells cells;
  cells.n_cells = groups.n_groups();
  cells.n_genes = results.fold.n_genes();
  cells.name = [&groups](std::int64_t group) { return groups.name(static_cast<std::size_t>(group)); };
  for (std::size_t i = 0; i < groups.columns.size(); ++i) cells.labels.push_back({groups.columns[i], groups.levels[i], groups.codes[i]});
  io::NewColumn n_obs{"n_obs_aggregated", io::ColumnType::int64, {}};
  n_obs.fill = [&groups](RowRange rows, std::byte* out) {
    std::memcpy(out, groups.n_cells.data() + rows.first, static_cast<std::size_t>(rows.size()) * sizeof(std::int64_t));
  };
  cells.columns.push_back(std::move(n_obs));
  for (const GroupFunc func : funcs)
    cells.layers.push_back({name_of(func), results.is_whole(func) ? io::ColumnType::int64 : io::ColumnType::float64,
                            [&results, func](std::int64_t group, std::byte* out) { fill_layer_row(results, func, group, out); }});
  return cells;
}

void write_aggregate_table(const GroupResults& results, const std::vector<GroupFunc>& funcs, NameSource& names, io::TextOutput& out) {
  std::string text = "gene";
  for (const GroupFunc func : funcs)
    for (std::size_t group = 0; group < results.groups.n_cells.size(); ++group) {
      text += '\t';
      io::append_text(text, (funcs.size() > 1 ? name_of(func) + std::string(":") : "") + results.groups.name(group));
    }
  text += '\n';
  out.write(text);
  io::for_each_name(names, [&](const std::string& name, std::int64_t gene) {
    text.clear();
    io::append_text(text, name);
    for (const GroupFunc func : funcs)
      for (std::int64_t group = 0; group < results.groups.n_groups(); ++group) {
        text += '\t';
        append_value(text, results, func, group, gene);
      }
    text += '\n';
    out.write(text);
  });
}

std::string aggregate_digest(const GroupResults& results, const std::vector<GroupFunc>& funcs) {
  std::array<ArrayHash, 1 + all_funcs.size()> hashes;
  hashes[0].add(std::span<const std::int64_t>(results.groups.n_cells));
  const auto n_genes = static_cast<std::size_t>(results.fold.n_genes());
  std::vector<std::int64_t> wholes(n_genes);
  std::vector<double> reals(n_genes);
  for (std::size_t i = 0; i < all_funcs.size(); ++i) {
    const GroupFunc func = all_funcs[i];
    if (std::find(funcs.begin(), funcs.end(), func) == funcs.end()) continue;
    for (std::int64_t group = 0; group < results.groups.n_groups(); ++group) {
      const bool whole = results.is_whole(func);
      fill_layer_row(results, func, group,
                     whole ? reinterpret_cast<std::byte*>(wholes.data()) : reinterpret_cast<std::byte*>(reals.data()));
      if (whole)
        hashes[i + 1].add(std::span<const std::int64_t>(wholes));
      else
        hashes[i + 1].add(std::span<const double>(reals));
    }
  }
  return combined_digest(hashes);
}

}  // namespace quern::cli
