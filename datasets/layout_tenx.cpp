// Cell Ranger's matrix files: version 2 (a group a genome) and version 3 (matrix/ with features/).
#include <array>

#include "datasets/layouts.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/h5ad_write/attributes.hpp"

namespace quern::datasets {
namespace {

void write_barcodes(const io::OutputGroup& group, const WriteContext& context) {
  const io::Compression& how = context.content.spec.compression;
  const std::size_t width = context.content.names.longest();
  const io::TypeHandle type = io::fixed_string(width);
  const io::ChunkedShape shape{context.plan.n_cells, std::min<std::int64_t>(16'384, std::max<std::int64_t>(1, context.plan.n_cells))};
  io::ChunkAppender barcodes(io::ChunkedDataset(group.get(), group.object(), "barcodes", type.get(), shape, how), how, 4);
  for_cell_blocks(context.content, [&](std::int64_t first, const std::vector<Cell>& cells) {
    std::string block;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      block += context.content.names.name(first + static_cast<std::int64_t>(i), cells[i]);
      block.resize((i + 1) * width, '\0');
    }
    barcodes.append(std::as_bytes(std::span<const char>(block)));
  });
  barcodes.finish();
}

MatrixTotals write_group(io::OutputGroup& group, const WriteContext& context) {
  write_barcodes(group, context);
  SparseOutput matrix(context, group, false, true, true);
  const Content& content = context.content;
  MatrixTotals totals = write_matrix(content.spec, content.model, content.genes,
                                     {{&matrix.data()}, {&matrix.indices()}, nullptr, false, true}, context.budget, context.stream);
  matrix.close();
  // Genes by cells: the file is the transpose's compressed columns.
  const std::array<std::int32_t, 2> shape{static_cast<std::int32_t>(context.plan.n_genes), static_cast<std::int32_t>(context.plan.n_cells)};
  io::write_plain_array(group, "shape", std::span<const std::int32_t>(shape));
  return totals;
}

void write_features(const io::OutputGroup& matrix, const WriteContext& context) {
  const GeneCatalog& genes = context.content.genes;
  io::OutputGroup features = io::make_group(matrix, "features");
  io::write_fixed_texts(features, "_all_tag_keys", std::vector<std::string>{"genome"});
  io::write_fixed_texts(features, "feature_type", std::vector<std::string>(genes.size(), "Gene Expression"));
  io::write_fixed_texts(features, "genome", std::vector<std::string>(genes.size(), context.content.spec.biology.genome));
  io::write_fixed_texts(features, "id", genes.ids);
  io::write_fixed_texts(features, "name", genes.symbols);
  features.close();
}

}  // namespace

MatrixTotals write_tenx(const io::OutputFile& file, const WriteContext& context) {
  const GenerateSpec& spec = context.content.spec;
  const bool v3 = spec.layout == Layout::tenx_v3;
  io::OutputGroup group = io::make_group(file, v3 ? "matrix" : spec.biology.genome);
  MatrixTotals totals = write_group(group, context);
  if (v3) {
    write_features(group, context);
    io::write_attribute(file.id(), "", "filetype", std::string("matrix"));
    io::write_attribute(file.id(), "", "version", std::int64_t{2});
    io::write_attribute(file.id(), "", "chemistry_description", std::string("Single Cell 3' v2"));
    io::write_attribute(file.id(), "", "library_ids", std::vector<std::string>{spec.preset});
  } else {
    io::write_fixed_texts(group, "genes", context.content.genes.ids);
    io::write_fixed_texts(group, "gene_names", context.content.genes.symbols);
  }
  group.close();
  return totals;
}

}  // namespace quern::datasets
