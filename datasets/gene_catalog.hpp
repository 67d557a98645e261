// The genes of a data set: what they are called and how abundant they are.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/preset.hpp"

namespace quern::datasets {

enum class GeneClass : std::uint8_t { ordinary, mitochondrial, ribosomal };

struct GeneCatalog {
  std::vector<std::string> symbols;  // unique
  std::vector<std::string> ids;      // unique, ENSG... or ENSMUSG...
  std::vector<GeneClass> classes;
  std::vector<double> abundance;  // relative, within the class; above 0
  std::size_t size() const { return symbols.size(); }
  std::vector<std::uint32_t> members(GeneClass wanted) const;  // ascending
};

// Depends on the seed, the number of genes and the biology. Genes are listed by name or as on the genome: at
// random, the mitochondrial ones together.
GeneCatalog make_genes(const GenerateSpec& spec);

}  // namespace quern::datasets
