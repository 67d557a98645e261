// What to generate: the presets and the words of the command line that change them.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/h5ad_write/compression.hpp"

namespace quern::datasets {

enum class Layout { modern, legacy, tenx_v2, tenx_v3 };
enum class Species { human, mouse };

// How the cells look. The numbers follow the data a preset imitates; see datasets/README.md.
struct Biology {
  Species species = Species::human;
  std::string genome;          // as Cell Ranger names it
  bool genes_by_name = false;  // listed by name, else as on the genome
  int n_samples = 1;
  int n_tissues = 1;
  int n_clusters = 1;
  double size_spread = 0.4;     // sigma of the log of genes per cell
  double abundance_spread = 2;  // sigma of the log of gene abundance
  double silent_share = 0.3;    // of genes hardly ever seen
  double mito_share = 0.03;     // of the counts of a typical cell
  double ribo_share = 0.1;
  double ambient_share = 0.0;  // of the counts drawn evenly from all genes
};

struct GenerateSpec {
  std::string preset;
  std::int64_t n_cells = 0, n_genes = 0;
  double genes_per_cell = 0;  // stored values of a cell, on average
  std::uint64_t seed = 0;
  Layout layout = Layout::modern;
  bool normalized = false;    // X holds log1p of counts per million and raw the counts (not in 10x layouts)
  bool wide_indices = false;  // 64-bit indices and indptr even where 32 bits would do
  io::Compression compression;
  std::int64_t chunk_length = 0;  // elements; 0: what the usual writer of the layout chooses
  Biology biology;
};

// What was said on the command line; the rest is the preset's.
struct SpecChanges {
  std::optional<std::int64_t> n_cells, n_genes, chunk_length;
  std::optional<double> genes_per_cell;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> layout, compression;
};

std::vector<std::string> preset_names();
// One line: what it imitates.
std::string preset_summary(const std::string& name);
std::string layout_name(Layout layout);

// usage_error: "unknown-preset" (listing them), "bad-layout", "bad-compression", "out-of-range".
GenerateSpec make_spec(const std::string& preset, const SpecChanges& changes);

}  // namespace quern::datasets
