// anndata >= 0.8: every element tagged. With `normalized`, X holds log1p of counts per million and raw the counts.
#include <array>
#include <limits>

#include "datasets/layouts.hpp"
#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::datasets {
namespace {

io::OutputGroup make_sparse_group(const WriteContext& context, io::OutputGroup group) {
  io::tag_element(group.get(), group.object(), "csr_matrix", "0.1.0");
  const std::array<std::int64_t, 2> shape{context.plan.n_cells, context.plan.n_genes};
  io::write_attribute(group.get(), group.object(), "shape", std::span<const std::int64_t>(shape));
  return group;
}

SparseOutput make_sparse(const WriteContext& context, const io::OutputGroup& group) {
  return {context, group, true, context.plan.wide_indices, context.plan.wide_indices};
}

MatrixTotals write_counts(const io::OutputFile& file, const WriteContext& context) {
  io::OutputGroup group = make_sparse_group(context, io::make_group(file, "X"));
  SparseOutput x = make_sparse(context, group);
  MatrixTotals totals =
      write_matrix(context.content.spec, context.content.model, context.content.genes,
                   {{&x.data()}, {&x.indices()}, nullptr, true, context.plan.wide_indices}, context.budget, context.stream);
  x.close();
  group.close();
  return totals;
}

MatrixTotals write_normalized_and_counts(const io::OutputFile& file, const io::OutputGroup& raw, const WriteContext& context) {
  io::OutputGroup x_group = make_sparse_group(context, io::make_group(file, "X"));
  io::OutputGroup raw_group = make_sparse_group(context, io::make_group(raw, "X"));
  SparseOutput x = make_sparse(context, x_group), counts = make_sparse(context, raw_group);
  MatrixTotals totals = write_matrix(context.content.spec, context.content.model, context.content.genes,
                                     {{&counts.data()}, {&x.indices(), &counts.indices()}, &x.data(), true, context.plan.wide_indices},
                                     context.budget, context.stream);
  x.close();
  counts.close();
  x_group.close();
  raw_group.close();
  return totals;
}

template <class Code>
void write_codes(const io::OutputGroup& group, const WriteContext& context, const LabelColumn& label) {
  io::OutputDataset codes = io::make_array(group.get(), group.object(), "codes", io::file_type<Code>(), context.plan.n_cells);
  io::tag_element(codes.get(), codes.object(), "array", "0.2.0");
  for_cell_blocks(context.content, [&](std::int64_t first, const std::vector<Cell>& cells) {
    std::vector<Code> block;
    block.reserve(cells.size());
    for (const Cell& cell : cells) block.push_back(static_cast<Code>(label.code(cell)));
    io::write_range(codes, io::file_type<Code>(), first, static_cast<std::int64_t>(block.size()), block.data());
  });
  codes.close();
}

void write_label(const io::OutputGroup& obs, const WriteContext& context, const LabelColumn& label) {
  io::OutputGroup group = io::make_categorical(obs, label.name, label.categories, false);
  if (label.categories.size() <= static_cast<std::size_t>(std::numeric_limits<std::int8_t>::max()))
    write_codes<std::int8_t>(group, context, label);
  else
    write_codes<std::int16_t>(group, context, label);
  group.close();
}

// One number a cell, in blocks: `value(cell, totals of the cell)`.
template <class T, class Value>
void write_numbers(const io::OutputGroup& obs, const WriteContext& context, const MatrixTotals& totals, const std::string& name,
                   Value value) {
  io::OutputDataset numbers = io::make_array(obs.get(), obs.object(), name, io::file_type<T>(), context.plan.n_cells);
  io::tag_element(numbers.get(), numbers.object(), "array", "0.2.0");
  for_cell_blocks(context.content, [&](std::int64_t first, const std::vector<Cell>& cells) {
    std::vector<T> block;
    for (std::size_t i = 0; i < cells.size(); ++i) block.push_back(value(cells[i], totals.of_cell[static_cast<std::size_t>(first) + i]));
    io::write_range(numbers, io::file_type<T>(), first, static_cast<std::int64_t>(block.size()), block.data());
  });
  numbers.close();
}

void write_obs(const io::OutputFile& file, const WriteContext& context, const MatrixTotals& totals) {
  std::vector<std::string> columns;
  for (const LabelColumn& label : context.content.labels) columns.push_back(label.name);
  columns.insert(columns.end(), {"n_genes", "n_counts", "percent_mito", "percent_ribo"});
  io::OutputGroup obs = io::make_frame(file, "obs", "_index", columns);
  io::TextDataset index = io::make_texts(obs, "_index", context.plan.n_cells);
  for_cell_blocks(context.content, [&](std::int64_t first, const std::vector<Cell>& cells) {
    std::vector<std::string> block;
    for (std::size_t i = 0; i < cells.size(); ++i)
      block.push_back(context.content.names.name(first + static_cast<std::int64_t>(i), cells[i]));
    index.append(block);
  });
  index.finish();
  for (const LabelColumn& label : context.content.labels) write_label(obs, context, label);
  using Totals = RowSampler::Totals;
  write_numbers<std::int64_t>(obs, context, totals, "n_genes", [](const Cell& cell, const Totals&) { return std::int64_t{cell.n_genes}; });
  write_numbers<float>(obs, context, totals, "n_counts", [](const Cell&, const Totals& t) { return static_cast<float>(t.counts); });
  write_numbers<float>(obs, context, totals, "percent_mito", [](const Cell&, const Totals& t) { return share(t.mito, t); });
  write_numbers<float>(obs, context, totals, "percent_ribo", [](const Cell&, const Totals& t) { return share(t.ribo, t); });
  obs.close();
}

void write_var(io::OutputGroup var, const WriteContext& context, const MatrixTotals& totals) {
  io::write_texts(var, "_index", context.content.genes.symbols);
  io::write_texts(var, "gene_ids", context.content.genes.ids);
  io::write_array(var, "n_cells", std::span<const std::int64_t>(totals.cells_of_gene));
  var.close();
}

}  // namespace

MatrixTotals write_modern(const io::OutputFile& file, const WriteContext& context) {
  const std::vector<std::string> var_columns{"gene_ids", "n_cells"};
  io::tag_element(file.id(), "", "anndata", "0.1.0");
  MatrixTotals totals;
  if (context.content.spec.normalized) {
    io::OutputGroup raw = io::make_group(file, "raw");
    io::tag_element(raw.get(), raw.object(), "raw", "0.1.0");
    totals = write_normalized_and_counts(file, raw, context);
    write_var(io::make_frame(raw, "var", "_index", var_columns), context, totals);
    io::OutputGroup varm = io::make_group(raw, "varm");
    io::tag_element(varm.get(), varm.object(), "dict", "0.1.0");
    varm.close();
    raw.close();
  } else {
    totals = write_counts(file, context);
  }
  write_obs(file, context, totals);
  write_var(io::make_frame(file, "var", "_index", var_columns), context, totals);
  for (const char* name : {"layers", "obsm", "obsp", "uns", "varm", "varp"}) io::write_empty_dict(file, name);
  return totals;
}

}  // namespace quern::datasets
