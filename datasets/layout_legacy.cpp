// anndata <= 0.6: compound obs and var, h5sparse_* attributes, raw.X beside X, categories in uns.
#include <array>

#include "datasets/layouts.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/h5ad_write/attributes.hpp"
#include "io/h5ad_write/compound_table.hpp"

namespace quern::datasets {
namespace {

io::OutputGroup make_sparse_group(const io::OutputFile& file, const WriteContext& context, const std::string& name) {
  io::OutputGroup group = io::make_group(file, name);
  const std::array<std::int64_t, 2> shape{context.plan.n_cells, context.plan.n_genes};
  io::write_attribute(group.get(), group.object(), "h5sparse_format", std::string("csr"));
  io::write_attribute(group.get(), group.object(), "h5sparse_shape", std::span<const std::int64_t>(shape));
  return group;
}

MatrixTotals write_matrices(const io::OutputFile& file, const WriteContext& context) {
  const Content& content = context.content;
  const bool wide = context.plan.wide_indices;
  io::OutputGroup x_group = make_sparse_group(file, context, "X");
  SparseOutput x(context, x_group, true, wide, wide);
  MatrixTotals totals;
  if (content.spec.normalized) {
    io::OutputGroup raw_group = make_sparse_group(file, context, "raw.X");
    SparseOutput raw(context, raw_group, true, wide, wide);
    totals = write_matrix(content.spec, content.model, content.genes,
                          {{&raw.data()}, {&x.indices(), &raw.indices()}, &x.data(), true, wide}, context.budget, context.stream);
    raw.close();
    raw_group.close();
  } else {
    totals = write_matrix(content.spec, content.model, content.genes, {{&x.data()}, {&x.indices()}, nullptr, true, wide}, context.budget,
                          context.stream);
  }
  x.close();
  x_group.close();
  return totals;
}

io::FieldKind code_kind(const LabelColumn& label) { return label.categories.size() < 128 ? io::FieldKind::int8 : io::FieldKind::int16; }

void write_obs(const io::OutputFile& file, const WriteContext& context, const MatrixTotals& totals) {
  const std::vector<LabelColumn>& labels = context.content.labels;
  std::vector<io::CompoundField> fields{{"index", io::FieldKind::text, context.content.names.longest()}};
  for (const LabelColumn& label : labels) fields.push_back({label.name, code_kind(label)});
  fields.insert(fields.end(), {{"n_genes", io::FieldKind::int64},
                               {"n_counts", io::FieldKind::float32},
                               {"percent_mito", io::FieldKind::float32},
                               {"percent_ribo", io::FieldKind::float32}});
  io::CompoundTable obs(file.id(), "", "obs", fields, context.plan.n_cells, context.content.spec.compression);
  const std::size_t numbers = 1 + labels.size();
  for_cell_blocks(context.content, [&](std::int64_t first, const std::vector<Cell>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const std::int64_t number = first + static_cast<std::int64_t>(i);
      const RowSampler::Totals& t = totals.of_cell[static_cast<std::size_t>(number)];
      obs.set_text(0, context.content.names.name(number, cells[i]));
      for (std::size_t k = 0; k < labels.size(); ++k) obs.set_integer(1 + k, labels[k].code(cells[i]));
      obs.set_integer(numbers, cells[i].n_genes);
      obs.set_real(numbers + 1, t.counts);
      obs.set_real(numbers + 2, share(t.mito, t));
      obs.set_real(numbers + 3, share(t.ribo, t));
      obs.end_row();
    }
  });
  obs.finish();
}

void write_var(const io::OutputFile& file, const std::string& name, const WriteContext& context, const MatrixTotals& totals) {
  std::size_t longest = 1;
  for (const std::string& symbol : context.content.genes.symbols) longest = std::max(longest, symbol.size());
  io::CompoundTable var(file.id(), "", name, {{"index", io::FieldKind::text, longest}, {"n_cells", io::FieldKind::int64}},
                        context.plan.n_genes, context.content.spec.compression);
  for (std::size_t g = 0; g < context.content.genes.size(); ++g) {
    var.set_text(0, context.content.genes.symbols[g]);
    var.set_integer(1, totals.cells_of_gene[g]);
    var.end_row();
  }
  var.finish();
}

}  // namespace

MatrixTotals write_legacy(const io::OutputFile& file, const WriteContext& context) {
  MatrixTotals totals = write_matrices(file, context);
  write_obs(file, context, totals);
  write_var(file, "var", context, totals);
  if (context.content.spec.normalized) write_var(file, "raw.var", context, totals);
  io::OutputGroup uns = io::make_group(file, "uns");
  for (const LabelColumn& label : context.content.labels) io::write_fixed_texts(uns, label.name + "_categories", label.categories);
  uns.close();
  return totals;
}

}  // namespace quern::datasets
