#include "datasets/preset.hpp"

#include <algorithm>

#include "host/core/error.hpp"

namespace quern::datasets {
namespace {

constexpr double kMostCells = 0x1p32;  // barcodes of 16 bases
constexpr double kMostGenes = 200'000;
constexpr double kLongestChunk = 0x1p28;

struct Preset {
  const char* summary;
  GenerateSpec spec;
};

const std::vector<Preset>& presets() {
  static const std::vector<Preset> all = [] {
    const io::Compression gzip4{io::Packing::gzip, 4, false};
    std::vector<Preset> list(4);
    list[0].summary = "Tabula Muris, droplet: mouse organs, anndata 0.5 file with log1p CPM in X and counts in raw";
    list[0].spec = {"tabula-muris-droplet",
                    54'967,
                    18'099,
                    1914.8,
                    0,
                    Layout::legacy,
                    true,
                    false,
                    gzip4,
                    0,
                    {Species::mouse, "mm10", true, 28, 12, 120, 0.42, 1.9, 0.10, 0.025, 0.09, 0.05}};
    list[1].summary = "3k PBMCs: human blood, counts";
    list[1].spec = {"pbmc3k",
                    2'700,
                    32'738,
                    850,
                    0,
                    Layout::modern,
                    false,
                    false,
                    gzip4,
                    0,
                    {Species::human, "hg19", false, 1, 1, 9, 0.28, 2.4, 0.45, 0.02, 0.35, 0.02}};
    list[2].summary = "1.3 million brain cells: mouse, Cell Ranger file";
    list[2].spec = {"brain-1.3m",
                    1'306'127,
                    27'998,
                    2000,
                    0,
                    Layout::tenx_v3,
                    false,
                    false,
                    {io::Packing::gzip, 4, true},
                    0,
                    {Species::mouse, "mm10", false, 133, 3, 60, 0.38, 2.0, 0.25, 0.03, 0.10, 0.05}};
    list[3].summary = "an 11-million-cell atlas: human, counts, 64-bit indices";
    list[3].spec = {"atlas-11m",
                    11'441'407,
                    24'552,
                    1600,
                    0,
                    Layout::modern,
                    false,
                    true,
                    gzip4,
                    0,
                    {Species::human, "GRCh38", false, 480, 16, 400, 0.45, 2.0, 0.15, 0.04, 0.12, 0.05}};
    return list;
  }();
  return all;
}

const Preset& find_preset(const std::string& name) {
  for (const Preset& preset : presets())
    if (preset.spec.preset == name) return preset;
  std::string known;
  for (const std::string& each : preset_names()) known += (known.empty() ? "" : ", ") + each;
  throw usage_error("unknown-preset", "--preset", "there is no preset '" + name + "'", "use one of " + known);
}

Layout parse_layout(const std::string& text) {
  for (const Layout layout : {Layout::modern, Layout::legacy, Layout::tenx_v2, Layout::tenx_v3})
    if (text == layout_name(layout)) return layout;
  throw usage_error("bad-layout", "--layout", "there is no layout '" + text + "'", "use modern, legacy, 10x-v2 or 10x-v3");
}

void require(const char* option, double value, double least, double most) {
  const auto whole = [](double number) { return std::to_string(static_cast<std::int64_t>(number)); };
  if (!(value >= least && value <= most))
    throw usage_error("out-of-range", option, "found " + whole(value) + ", expected " + whole(least) + " to " + whole(most));
}

// Cell Ranger shuffles, anndata does not; a layout asked for without a compression gets its usual one.
io::Compression usual_compression(Layout layout) { return {io::Packing::gzip, 4, layout == Layout::tenx_v2 || layout == Layout::tenx_v3}; }

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) names.push_back(preset.spec.preset);
  return names;
}

std::string preset_summary(const std::string& name) { return find_preset(name).summary; }

std::string layout_name(Layout layout) {
  switch (layout) {
    case Layout::modern:
      return "modern";
    case Layout::legacy:
      return "legacy";
    case Layout::tenx_v2:
      return "10x-v2";
    case Layout::tenx_v3:
      return "10x-v3";
  }
  return {};
}

GenerateSpec make_spec(const std::string& preset, const SpecChanges& changes) {
  GenerateSpec spec = find_preset(preset).spec;
  if (changes.layout) {
    spec.layout = parse_layout(*changes.layout);
    spec.compression = usual_compression(spec.layout);
  }
  if (changes.compression) spec.compression = io::parse_compression(*changes.compression);
  spec.n_cells = changes.n_cells.value_or(spec.n_cells);
  spec.n_genes = changes.n_genes.value_or(spec.n_genes);
  if (changes.n_genes && !changes.genes_per_cell)  // fewer genes, fewer of them in a cell
    spec.genes_per_cell = std::min(spec.genes_per_cell, 0.25 * static_cast<double>(spec.n_genes));
  spec.genes_per_cell = changes.genes_per_cell.value_or(spec.genes_per_cell);
  spec.seed = changes.seed.value_or(spec.seed);
  spec.chunk_length = changes.chunk_length.value_or(0);
  require("--cells", static_cast<double>(spec.n_cells), 0, kMostCells);
  require("--genes", static_cast<double>(spec.n_genes), 1, kMostGenes);
  require("--nnz-per-cell", spec.genes_per_cell, 0.0, 0.8 * static_cast<double>(spec.n_genes));
  if (changes.chunk_length) require("--chunk", static_cast<double>(spec.chunk_length), 1, kLongestChunk);
  if (spec.layout == Layout::tenx_v2 || spec.layout == Layout::tenx_v3) spec.normalized = false;
  return spec;
}

}  // namespace quern::datasets
