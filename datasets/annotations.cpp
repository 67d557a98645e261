#include "datasets/annotations.hpp"

#include <algorithm>
#include <map>

#include "datasets/random.hpp"

namespace quern::datasets {
namespace {

constexpr const char* kOrgans[] = {"Bladder", "Heart_and_Aorta", "Kidney", "Limb_Muscle", "Liver", "Lung",     "Mammary_Gland", "Marrow",
                                   "Spleen",  "Thymus",          "Tongue", "Trachea",     "Colon", "Pancreas", "Skin",          "Fat"};
constexpr const char* kBrainRegions[] = {"Cortex", "Hippocampus", "Subventricular_Zone"};
constexpr const char* kCellTypes[] = {"B cell",
                                      "T cell",
                                      "natural killer cell",
                                      "macrophage",
                                      "endothelial cell",
                                      "fibroblast",
                                      "epithelial cell",
                                      "stromal cell",
                                      "mesenchymal cell",
                                      "monocyte",
                                      "granulocyte",
                                      "basal cell",
                                      "keratinocyte",
                                      "hepatocyte",
                                      "dendritic cell",
                                      "erythroblast",
                                      "smooth muscle cell",
                                      "pericyte cell",
                                      "plasma cell",
                                      "mast cell",
                                      "proerythroblast",
                                      "cardiac muscle cell",
                                      "skeletal muscle satellite cell",
                                      "luminal epithelial cell of mammary gland",
                                      "kidney capillary endothelial cell",
                                      "kidney proximal straight tubule epithelial cell",
                                      "kidney loop of Henle ascending limb epithelial cell",
                                      "bladder urothelial cell",
                                      "type II pneumocyte",
                                      "ciliated columnar cell of tracheobronchial tree",
                                      "thymocyte",
                                      "hematopoietic precursor cell",
                                      "neuron",
                                      "astrocyte",
                                      "oligodendrocyte",
                                      "microglial cell",
                                      "neuroblast",
                                      "radial glial cell",
                                      "ependymal cell",
                                      "chondrocyte"};

std::string tissue_name(const GenerateSpec& spec, int tissue) {
  if (spec.biology.n_tissues == 1) return "Blood";
  const auto t = static_cast<std::size_t>(tissue);
  return spec.biology.n_tissues == 3 ? kBrainRegions[t] : kOrgans[t % std::size(kOrgans)];
}

std::string sample_name(const GenerateSpec& spec, std::int32_t sample) {
  if (spec.layout == Layout::legacy) return "10X_P" + std::to_string(4 + sample / 16) + "_" + std::to_string(sample % 16);
  return "sample_" + std::to_string(sample + 1);
}

std::string donor_name(const GenerateSpec& spec, std::int32_t sample) {
  const std::int32_t donor = sample / 4;
  if (spec.biology.species == Species::human) return "donor_" + std::to_string(donor + 1);
  return std::to_string(3 * (1 + donor % 3)) + (donor % 2 ? "-F-" : "-M-") + std::to_string(5 + donor);
}

// Digits compare as numbers, as anndata sorts categories it makes of strings.
bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      std::size_t x = 0, y = 0;
      while (i < a.size() && digit(a[i])) x = x * 10 + static_cast<std::size_t>(a[i++] - '0');
      while (j < b.size() && digit(b[j])) y = y * 10 + static_cast<std::size_t>(b[j++] - '0');
      if (x != y) return x < y;
    } else {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
    }
  }
  return a.size() - i < b.size() - j;
}

LabelColumn make_column(const std::string& name, bool of_cluster, const std::vector<std::string>& labels) {
  LabelColumn column{name, labels, of_cluster, {}};
  std::sort(column.categories.begin(), column.categories.end(), natural_less);
  column.categories.erase(std::unique(column.categories.begin(), column.categories.end()), column.categories.end());
  std::map<std::string, std::int32_t> code_of;
  for (const std::string& category : column.categories) code_of.emplace(category, static_cast<std::int32_t>(code_of.size()));
  for (const std::string& label : labels) column.codes.push_back(code_of.at(label));
  return column;
}

}  // namespace

std::vector<LabelColumn> make_labels(const GenerateSpec& spec, const CellModel& model) {
  std::vector<std::string> samples, donors, tissues, sexes, types, clusters;
  for (std::int32_t s = 0; s < spec.biology.n_samples; ++s) {
    samples.push_back(sample_name(spec, s));
    donors.push_back(donor_name(spec, s));
    tissues.push_back(tissue_name(spec, model.tissue_of(s)));
    sexes.emplace_back(s / 4 % 2 ? "F" : "M");
  }
  for (int c = 0; c < spec.biology.n_clusters; ++c) {
    types.emplace_back(kCellTypes[static_cast<std::size_t>(c) % std::size(kCellTypes)]);
    clusters.push_back(std::to_string(c));
  }
  const bool legacy = spec.layout == Layout::legacy;
  return {make_column(legacy ? "channel" : "sample", false, samples),
          make_column(legacy ? "mouse.id" : "donor_id", false, donors),
          make_column("tissue", false, tissues),
          make_column("sex", false, sexes),
          make_column(legacy ? "cell_ontology_class" : "cell_type", true, types),
          make_column("cluster", true, clusters)};
}

CellNames::CellNames(const GenerateSpec& spec)
    : legacy_(spec.layout == Layout::legacy),
      n_samples_(spec.biology.n_samples),
      offset_(static_cast<std::uint32_t>(RandomStream(spec.seed, Purpose::samples, 0).bits())) {}

std::string CellNames::name(std::int64_t number, const Cell& cell) const {
  // A bijection of 32 bits, so that no two cells share a barcode: odd multipliers and xor-shifts.
  std::uint32_t code = static_cast<std::uint32_t>(number) + offset_;
  code = (code ^ (code >> 16)) * 0x7feb352dU;
  code = (code ^ (code >> 15)) * 0x846ca68bU;
  code ^= code >> 16;
  std::string barcode(16, 'A');
  for (char& base : barcode) {
    base = "ACGT"[code & 3];
    code >>= 2;
  }
  if (legacy_) return "10X_P" + std::to_string(4 + cell.sample / 16) + "_" + std::to_string(cell.sample % 16) + "_" + barcode;
  return barcode + "-" + std::to_string(cell.sample + 1);
}

std::size_t CellNames::longest() const {
  return legacy_ ? 16 + 8 + std::to_string(4 + n_samples_ / 16).size() : 17 + std::to_string(n_samples_).size();
}

}  // namespace quern::datasets
