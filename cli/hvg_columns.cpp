// What `quern hvg` writes of each gene.
#include <algorithm>
#include <array>
#include <cstring>

#include "cli/digest.hpp"
#include "cli/hvg_run.hpp"
#include "io/names/name_sources.hpp"
#include "io/tables/field_text.hpp"

namespace quern::cli {
namespace {

using io::ColumnType;

template <class T, class Value>
io::NewColumn column(const std::string& name, ColumnType type, Value value) {
  io::NewColumn column{name, type, {}};
  column.fill = [value](RowRange rows, std::byte* out) {
    for (std::int64_t gene = rows.first; gene < rows.last; ++gene, out += sizeof(T)) {
      const T one = value(static_cast<std::size_t>(gene));
      std::memcpy(out, &one, sizeof one);
    }
  };
  return column;
}

const char* truth(bool value) { return value ? "True" : "False"; }

}  // namespace

std::vector<io::NewColumn> hvg_columns(const HvgGenes& genes, std::size_t n_batches) {
  std::vector<io::NewColumn> columns;
  columns.push_back(column<std::int8_t>("highly_variable", ColumnType::boolean,
                                        [&genes](std::size_t g) { return static_cast<std::int8_t>(genes.highly_variable[g]); }));
  columns.push_back(column<double>("means", ColumnType::float64, [&genes](std::size_t g) { return genes.means[g]; }));
  columns.push_back(column<double>("dispersions", ColumnType::float64, [&genes](std::size_t g) { return genes.dispersions[g]; }));
  columns.push_back(column<float>("dispersions_norm", ColumnType::float32,
                                  [&genes](std::size_t g) { return static_cast<float>(genes.dispersions_norm[g]); }));
  if (genes.n_batches.empty()) return columns;
  columns.push_back(
      column<std::int64_t>("highly_variable_nbatches", ColumnType::int64, [&genes](std::size_t g) { return genes.n_batches[g]; }));
  columns.push_back(column<std::int8_t>("highly_variable_intersection", ColumnType::boolean, [&genes, n_batches](std::size_t g) {
    return static_cast<std::int8_t>(genes.n_batches[g] == static_cast<std::int64_t>(n_batches));
  }));
  return columns;
}

void write_hvg_table(const HvgGenes& genes, std::size_t n_batches, NameSource& names, io::TextOutput& out) {
  const bool batched = !genes.n_batches.empty();
  out.write("gene\thighly_variable\tmeans\tdispersions\tdispersions_norm");
  out.write(batched ? "\thighly_variable_nbatches\thighly_variable_intersection\n" : "\n");
  std::string text;
  io::for_each_name(names, [&](const std::string& name, std::int64_t gene) {
    const auto g = static_cast<std::size_t>(gene);
    text.clear();
    io::append_text(text, name);
    text += '\t';
    text += truth(genes.highly_variable[g] != 0);
    for (const double value : {genes.means[g], genes.dispersions[g], genes.dispersions_norm[g]}) {
      text += '\t';
      io::append_number(text, value);
    }
    if (batched) {
      text += '\t';
      io::append_number(text, genes.n_batches[g]);
      text += '\t';
      text += truth(genes.n_batches[g] == static_cast<std::int64_t>(n_batches));
    }
    text += '\n';
    out.write(text);
  });
}

void write_hvg_list(const HvgGenes& genes, NameSource& names, io::TextOutput& out) {
  io::for_each_name(names, [&](const std::string& name, std::int64_t gene) {
    if (genes.highly_variable[static_cast<std::size_t>(gene)] != 0) out.write(name + "\n");
  });
}

std::string hvg_digest(const HvgGenes& genes) {
  std::array<ArrayHash, 5> hashes;
  hashes[0].add_bits(std::as_bytes(std::span(genes.highly_variable)));
  hashes[1].add(std::span<const double>(genes.means));
  hashes[2].add(std::span<const double>(genes.dispersions));
  hashes[3].add(std::span<const double>(genes.dispersions_norm));
  hashes[4].add(std::span<const std::int64_t>(genes.n_batches));
  return combined_digest(hashes);
}

}  // namespace quern::cli
