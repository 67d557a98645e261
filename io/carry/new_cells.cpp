#include "io/carry/new_cells.hpp"

#include <algorithm>
#include <limits>

#include "io/carry/copy_element.hpp"
#include "io/carry/copy_text.hpp"
#include "io/carry/rows_out.hpp"
#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t texts_at_once = 4096;

void tag_and_close(OutputDataset dataset) {
  tag_element(dataset.get(), dataset.object(), "array", "0.2.0");
  dataset.close();
}

// The type is pandas' choice for so many categories.
template <class Code>
void write_codes(const OutputGroup& to, std::span<const std::int32_t> codes) {
  std::vector<Code> narrow;
  narrow.reserve(codes.size());
  for (const std::int32_t code : codes) narrow.push_back(static_cast<Code>(code));
  write_array<Code>(to, "codes", narrow);
}

class NewCellsFile {
 public:
  NewCellsFile(CarryContext& context, const OutputFile& to, const NewCells& cells)
      : context_(context), cells_(cells), root_(root_group(to)) {}

  void run() {
    tag_element(root_.get(), "/", "anndata", "0.1.0");
    write_obs();
    copy_frame(context_, cells_.genes, root_, "var", Selection(), {}, true);
    OutputGroup layers = make_dict(root_, "layers");
    for (const NewCells::Layer& layer : cells_.layers) write_layer(layers, layer);
    layers.close();
    for (const char* name : {"obsm", "varm", "obsp", "varp"}) make_dict(root_, name).close();
    OutputGroup uns = make_dict(root_, "uns");
    if (cells_.add_uns)
      cells_.add_uns(uns, [this](const std::string& path, const OutputGroup& to, const std::string& name) {
        copy_element(context_, path, to, name, {});
      });
    uns.close();
    root_.close();
  }

 private:
  void write_obs() {
    std::vector<std::string> names;
    for (const auto& labels : cells_.labels) names.push_back(labels.name);
    for (const NewColumn& column : cells_.columns) names.push_back(column.name);
    OutputGroup obs = make_frame(root_, "obs", "_index", names);
    TextDataset index = make_texts(obs, "_index", cells_.n_cells);
    std::vector<std::string> texts;
    for (std::int64_t first = 0; first < cells_.n_cells; first += texts_at_once) {
      texts.clear();
      for (std::int64_t row = first; row < std::min(first + texts_at_once, cells_.n_cells); ++row) texts.push_back(cells_.name(row));
      index.append(texts);
    }
    index.finish();
    for (const auto& labels : cells_.labels) write_labels(obs, labels);
    for (const NewColumn& column : cells_.columns) write_column(column, cells_.n_cells, obs, context_.budget);
    obs.close();
  }

  static void write_labels(const OutputGroup& obs, const NewCells::Labels& labels) {
    OutputGroup group = make_categorical(obs, labels.name, labels.levels, false);
    if (labels.levels.size() < std::numeric_limits<std::int8_t>::max())
      write_codes<std::int8_t>(group, labels.codes);
    else if (labels.levels.size() < std::numeric_limits<std::int16_t>::max())
      write_codes<std::int16_t>(group, labels.codes);
    else
      write_codes<std::int32_t>(group, labels.codes);
    group.close();
  }

  void write_layer(const OutputGroup& to, const NewCells::Layer& layer) {
    const hid_t type = layer.type == ColumnType::int64 ? file_type<std::int64_t>() : file_type<double>();
    RowsOut out(to, layer.name, type, cells_.n_cells, {static_cast<hsize_t>(cells_.n_genes)}, {}, context_.budget);
    std::vector<std::byte> row(out.row_bytes());
    const Claim claim = context_.budget.claim("arrays that are carried over", row.size());
    for (std::int64_t i = 0; i < cells_.n_cells; ++i) {
      context_.rest();
      layer.fill(i, row.data());
      out.append(row);
    }
    tag_and_close(out.finish());
  }

  CarryContext& context_;
  const NewCells& cells_;
  OutputGroup root_;
};

}  // namespace

std::vector<Warning> write_new_cells(const Hdf5File& from, const OutputFile& to, const NewCells& cells, MemoryBudget& budget) {
  CarryContext context{.from = from, .budget = budget};
  context.stop = cells.stop;
  context.pause = [&cells] {
    if (cells.stop && *cells.stop) throw Interrupted();
  };
  NewCellsFile(context, to, cells).run();
  return std::move(context.warnings);
}

}  // namespace quern::io
