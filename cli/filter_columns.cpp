#include "cli/filter_columns.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace quern::cli {
namespace {

template <class T>
void put(T value, std::byte*& out) {
  std::memcpy(out, &value, sizeof value);
  out += sizeof value;
}

void put_sum(double sum, io::ColumnType type, std::byte*& out) {
  if (type == io::ColumnType::float32) return put(static_cast<float>(sum), out);
  if (type == io::ColumnType::float64) return put(sum, out);
  put(static_cast<std::int64_t>(sum), out);
}

template <class N>
std::vector<io::NewColumn> columns(const std::string& name, const std::vector<N>& numbers, const std::vector<double>& sums,
                                   io::ColumnType sum_type) {
  std::vector<io::NewColumn> made;
  const auto add_column = [&](const std::string& title, io::ColumnType type, auto put_row) {
    made.push_back({title, type, [put_row](RowRange rows, std::byte* out) {
                      for (std::int64_t row = rows.first; row < rows.last; ++row) put_row(static_cast<std::size_t>(row), out);
                    }});
  };
  if (!numbers.empty())
    add_column(name, io::ColumnType::int64, [&numbers](std::size_t row, std::byte*& out) { put(std::int64_t{numbers[row]}, out); });
  if (!sums.empty())
    add_column("n_counts", sum_type, [&sums, sum_type](std::size_t row, std::byte*& out) { put_sum(sums[row], sum_type, out); });
  return made;
}

void add(Parameters& all, const FilterRule& rule) {
  std::string name = rule.option.substr(2);
  std::replace(name.begin(), name.end(), '-', '_');
  if (!all.empty() && all.back().first == name)
    all.back().second += "," + rule.wanted;
  else
    all.emplace_back(name, rule.wanted);
}

}  // namespace

io::ColumnType type_of_sum(const std::string& stored) {
  if (stored == "float32" || stored == "float16") return io::ColumnType::float32;
  if (stored == "float64") return io::ColumnType::float64;
  return stored.starts_with("uint") ? io::ColumnType::uint64 : io::ColumnType::int64;
}

std::vector<io::NewColumn> left_behind(const std::string& name, const std::vector<std::int32_t>& numbers, const std::vector<double>& sums,
                                       io::ColumnType sum_type) {
  return columns(name, numbers, sums, sum_type);
}
std::vector<io::NewColumn> left_behind(const std::string& name, const std::vector<std::int64_t>& numbers, const std::vector<double>& sums,
                                       io::ColumnType sum_type) {
  return columns(name, numbers, sums, sum_type);
}

Parameters filter_parameters(const FilterPlan& plan, const std::string& matrix) {
  Parameters all{{"layer", matrix}};
  for (const auto* rules : {&plan.cell_rules, &plan.gene_rules})
    for (const FilterRule& rule : *rules) add(all, rule);
  if (!plan.cells_file.empty()) all.emplace_back("keep_cells", std::filesystem::path(plan.cells_file).filename().string());
  if (!plan.genes_file.empty()) all.emplace_back("keep_genes", std::filesystem::path(plan.genes_file).filename().string());
  return all;
}

}  // namespace quern::cli
