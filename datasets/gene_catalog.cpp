#include "datasets/gene_catalog.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "datasets/gene_names.hpp"
#include "datasets/random.hpp"

namespace quern::datasets {
namespace {

struct Gene {
  std::string symbol;
  GeneClass kind;
  double abundance;
  std::uint64_t place;
};

// Small sets keep the shares of a genome: one gene in forty is mitochondrial at most, one in eight ribosomal.
std::vector<std::string> first_part(std::vector<std::string> symbols, std::size_t most) {
  if (symbols.size() > most) symbols.resize(most);
  return symbols;
}

void add_special(std::vector<Gene>& genes, const std::vector<std::string>& symbols, GeneClass kind, RandomStream& random) {
  for (const std::string& symbol : symbols) genes.push_back({symbol, kind, random.log_normal(0.9), 0});
}

void add_ordinary(std::vector<Gene>& genes, const GenerateSpec& spec, std::size_t count, RandomStream& random) {
  constexpr double kSilent = 2e-4;
  std::vector<double> abundance;
  for (std::size_t i = 0; i < count; ++i) {
    const double seen = random.uniform() < spec.biology.silent_share ? kSilent : 1.0;
    abundance.push_back(seen * random.log_normal(spec.biology.abundance_spread));
  }
  const auto named = first_part(highly_expressed_symbols(spec.biology.species), count);
  std::vector<std::string> taken = named;
  for (const Gene& gene : genes) taken.push_back(gene.symbol);
  std::vector<std::string> symbols = family_symbols(spec.biology.species, spec.seed, count - named.size(), taken);
  symbols.insert(symbols.begin(), named.begin(), named.end());
  const auto n_named = static_cast<std::ptrdiff_t>(named.size());  // they take the highest abundances
  std::partial_sort(abundance.begin(), abundance.begin() + n_named, abundance.end(), std::greater<>());
  for (std::size_t i = 0; i < count; ++i) genes.push_back({symbols[i], GeneClass::ordinary, abundance[i], 0});
}

void put_in_order(std::vector<Gene>& genes, const GenerateSpec& spec) {
  if (spec.biology.genes_by_name) {
    std::sort(genes.begin(), genes.end(), [](const Gene& a, const Gene& b) { return a.symbol < b.symbol; });
    return;
  }
  RandomStream random(spec.seed, Purpose::order, 0);
  const std::uint64_t chromosome_m = random.bits() >> 1;
  std::uint64_t n = 0;
  for (Gene& gene : genes) gene.place = gene.kind == GeneClass::mitochondrial ? chromosome_m + n++ : random.bits();
  std::stable_sort(genes.begin(), genes.end(), [](const Gene& a, const Gene& b) { return a.place < b.place; });
}

std::string gene_id(Species species, std::size_t number) {
  std::string digits = std::to_string(number * 13 + 3);
  digits.insert(0, 11 - std::min<std::size_t>(11, digits.size()), '0');
  return (species == Species::human ? "ENSG" : "ENSMUSG") + digits;
}

}  // namespace

std::vector<std::uint32_t> GeneCatalog::members(GeneClass wanted) const {
  std::vector<std::uint32_t> found;
  for (std::uint32_t gene = 0; gene < classes.size(); ++gene)
    if (classes[gene] == wanted) found.push_back(gene);
  return found;
}

GeneCatalog make_genes(const GenerateSpec& spec) {
  const auto n_genes = static_cast<std::size_t>(spec.n_genes);
  RandomStream random(spec.seed, Purpose::genes, 0);
  std::vector<Gene> genes;
  add_special(genes, first_part(mitochondrial_symbols(spec.biology.species), n_genes / 40), GeneClass::mitochondrial, random);
  add_special(genes, first_part(ribosomal_symbols(spec.biology.species), n_genes / 8), GeneClass::ribosomal, random);
  add_ordinary(genes, spec, n_genes - genes.size(), random);
  put_in_order(genes, spec);
  GeneCatalog catalog;
  for (std::size_t i = 0; i < genes.size(); ++i) {
    catalog.symbols.push_back(genes[i].symbol);
    catalog.ids.push_back(gene_id(spec.biology.species, i));
    catalog.classes.push_back(genes[i].kind);
    catalog.abundance.push_back(genes[i].abundance);
  }
  return catalog;
}

}  // namespace quern::datasets
