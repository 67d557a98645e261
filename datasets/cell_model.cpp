#include "datasets/cell_model.hpp"

#include <algorithm>

#include "datasets/random.hpp"

namespace quern::datasets {
namespace {

constexpr double kClusterPart = 0.6, kCellPart = 0.8;  // of size_spread: between clusters, between a cluster's cells
constexpr double kMostGenes = 0.85;                    // of all genes, in one cell

std::uint32_t sixteen_bits(double share) { return static_cast<std::uint32_t>(share * 65536.0); }

// Weights that fall by a third from one item to the next, so that a tissue has common and rare cell types.
std::vector<double> falling_weights(std::size_t n) {
  std::vector<double> weights;
  double weight = 1;
  for (std::size_t i = 0; i < n; ++i, weight *= 0.72) weights.push_back(weight + 0.02);
  return weights;
}

AliasTable class_table(const GeneCatalog& genes, GeneClass wanted) {
  const std::vector<std::uint32_t> members = genes.members(wanted);
  if (members.empty()) return {};
  std::vector<double> weights;
  weights.reserve(members.size());
  for (const std::uint32_t gene : members) weights.push_back(genes.abundance[gene]);
  return {members, weights};
}

}  // namespace

CellModel::CellModel(const GenerateSpec& spec, const GeneCatalog& genes) : spec_(spec) {
  make_tables(genes);
  make_clusters();
  make_tissues();
}

void CellModel::make_tables(const GeneCatalog& genes) {
  mito_ = class_table(genes, GeneClass::mitochondrial);
  ribo_ = class_table(genes, GeneClass::ribosomal);
  base_ = class_table(genes, GeneClass::ordinary);
  const std::vector<std::uint32_t> ordinary = genes.members(GeneClass::ordinary);
  ambient_ = AliasTable(ordinary, std::vector<double>(ordinary.size(), 1.0));
  const auto n_programmes = static_cast<std::uint64_t>(std::clamp(spec_.biology.n_clusters, 8, 64));
  const std::size_t n_members = std::max<std::size_t>(1, ordinary.size() / 20);
  for (std::uint64_t i = 0; i < n_programmes; ++i) {
    RandomStream random(spec_.seed, Purpose::programmes, i);
    std::vector<std::uint32_t> members;
    std::vector<double> weights;
    for (std::size_t k = 0; k < n_members; ++k) {
      members.push_back(ordinary[random.below(static_cast<std::uint32_t>(ordinary.size()))]);
      weights.push_back(random.log_normal(2.0));
    }
    programmes_.emplace_back(members, weights);
  }
}

void CellModel::make_clusters() {
  for (int c = 0; c < spec_.biology.n_clusters; ++c) {
    RandomStream random(spec_.seed, Purpose::clusters, static_cast<std::uint64_t>(c));
    Cluster cluster;
    cluster.size = random.log_normal(kClusterPart * spec_.biology.size_spread);
    for (std::size_t k = 0; k < cluster.mix.programmes.size(); ++k) {
      cluster.mix.programme_ids[k] = static_cast<std::uint16_t>(random.below(static_cast<std::uint32_t>(programmes_.size())));
      cluster.mix.programmes[k] = sixteen_bits(0.05 + 0.10 * random.uniform());
    }
    cluster.mix.ribo = ribo_.empty() ? 0 : sixteen_bits(std::min(0.6, spec_.biology.ribo_share * random.log_normal(0.2)));
    cluster.mix.mito = mito_.empty() ? 0 : sixteen_bits(std::min(0.2, spec_.biology.mito_share * random.log_normal(0.3)));
    cluster.mix.ambient = sixteen_bits(spec_.biology.ambient_share);
    clusters_.push_back(cluster);
  }
}

void CellModel::make_tissues() {
  const int n_tissues = std::clamp(spec_.biology.n_tissues, 1, std::min(spec_.biology.n_clusters, spec_.biology.n_samples));
  double mean_size = 0;
  for (int t = 0; t < n_tissues; ++t) {
    std::vector<std::uint32_t> members;
    for (int c = t; c < spec_.biology.n_clusters; c += n_tissues) members.push_back(static_cast<std::uint32_t>(c));
    const std::vector<double> weights = falling_weights(members.size());
    double sum = 0, sizes = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      sum += weights[i];
      sizes += weights[i] * clusters_[members[i]].size;
    }
    const int n_samples = (spec_.biology.n_samples - t + n_tissues - 1) / n_tissues;
    mean_size += sizes / sum * n_samples / spec_.biology.n_samples;
    clusters_of_tissue_.emplace_back(members, weights);
  }
  const double spread = kCellPart * spec_.biology.size_spread;
  size_scale_ = spec_.genes_per_cell / mean_size * portable_exp(-0.5 * spread * spread);
}

Cell CellModel::cell(std::int64_t number) const {
  Cell cell;
  cell.sample = static_cast<std::int32_t>(number * spec_.biology.n_samples / std::max<std::int64_t>(1, spec_.n_cells));
  RandomStream random(spec_.seed, Purpose::cell_size, static_cast<std::uint64_t>(number));
  const AliasTable& clusters = clusters_of_tissue_[static_cast<std::size_t>(tissue_of(cell.sample))];
  cell.cluster = static_cast<std::int32_t>(clusters.draw(static_cast<std::uint32_t>(random.bits() >> 32)));
  const double size =
      size_scale_ * clusters_[static_cast<std::size_t>(cell.cluster)].size * random.log_normal(kCellPart * spec_.biology.size_spread);
  const double most = kMostGenes * static_cast<double>(spec_.n_genes);
  cell.n_genes = static_cast<std::int32_t>(std::min(size, most) + random.uniform());
  return cell;
}

SourceMix CellModel::mix_of(std::int64_t number, const Cell& cell) const {
  RandomStream random(spec_.seed, Purpose::cell_type, static_cast<std::uint64_t>(number));
  SourceMix mix = clusters_[static_cast<std::size_t>(cell.cluster)].mix;
  const double stress = random.below(50) == 0 ? 6.0 : 1.0;  // one cell in fifty is dying
  mix.mito = std::min(sixteen_bits(0.5), static_cast<std::uint32_t>(mix.mito * stress * random.log_normal(0.3)));
  mix.ribo = std::min(sixteen_bits(0.45), static_cast<std::uint32_t>(mix.ribo * random.log_normal(0.15)));
  std::uint32_t limit = mix.mito;
  for (std::uint32_t* share : {&mix.ribo, &mix.ambient, &mix.programmes[0], &mix.programmes[1], &mix.programmes[2]})
    limit = *share += limit;
  return mix;
}

std::size_t CellModel::bytes() const {
  std::size_t total = mito_.bytes() + ribo_.bytes() + ambient_.bytes() + base_.bytes() + clusters_.size() * sizeof(Cluster);
  for (const AliasTable& table : programmes_) total += table.bytes();
  for (const AliasTable& table : clusters_of_tissue_) total += table.bytes();
  return total;
}

}  // namespace quern::datasets
