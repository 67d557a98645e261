#include "datasets/gene_names.hpp"

#include <cctype>
#include <iterator>
#include <sstream>
#include <unordered_set>

#include "datasets/random.hpp"

namespace quern::datasets {
namespace {

constexpr const char* kMitochondrial = "ND1 ND2 CO1 CO2 ATP8 ATP6 CO3 ND3 ND4L ND4 ND5 ND6 CYB";
constexpr const char* kRibosomal =
    "RPL3 RPL4 RPL5 RPL6 RPL7 RPL7A RPL8 RPL9 RPL10 RPL10A RPL11 RPL12 RPL13 RPL13A RPL14 RPL15 RPL17 RPL18 RPL18A RPL19 RPL21 RPL22 "
    "RPL23 RPL23A RPL24 RPL26 RPL27 RPL27A RPL28 RPL29 RPL30 RPL31 RPL32 RPL34 RPL35 RPL35A RPL36 RPL36A RPL37 RPL37A RPL38 RPL39 RPL41 "
    "RPLP0 RPLP1 RPLP2 RPS2 RPS3 RPS3A RPS4X RPS5 RPS6 RPS7 RPS8 RPS9 RPS10 RPS11 RPS12 RPS13 RPS14 RPS15 RPS15A RPS16 RPS17 RPS18 RPS19 "
    "RPS20 RPS21 RPS23 RPS24 RPS25 RPS26 RPS27 RPS27A RPS28 RPS29 RPSA";
constexpr const char* kHighlyExpressed =
    "MALAT1 TMSB4X B2M EEF1A1 ACTB FTL FTH1 TPT1 TMSB10 PTMA GAPDH FAU ACTG1 UBA52 PFN1 CD74 NACA EEF1D EIF1 HSP90AB1 CFL1 H3F3B OAZ1 "
    "SERF2 EEF2 UBC PABPC1 CST3 S100A6 MYL6 COX4I1 COX7C ATP5E SH3BGRL3 TYROBP VIM NPM1 HNRNPA1 CALM1 ITM2B BTG1 CD52 LGALS1 JUN FOS "
    "DUSP1 HSPA8 PPIA LDHA ENO1 CYBA SRP14 SLC25A5 UBB CD63 ANXA2 APOE LYZ2 S100A4 SPARC";

struct Family {
  const char* pattern;  // '#' a number of up to `digits` digits, '@' a letter
  int digits;
  int weight;
};
constexpr Family kHuman[] = {{"LINC0#", 4, 8}, {"RP11-#@@.#", 3, 22}, {"AC0#.#", 5, 14}, {"AL#.#", 6, 6},  {"CT@-#@@.#", 4, 4},
                             {"ZNF#", 3, 8},   {"TMEM#", 3, 4},       {"CCDC#", 3, 3},   {"FAM#@", 3, 5},  {"OR#@#", 2, 4},
                             {"SLC#A#", 2, 6}, {"C#orf#", 2, 5},      {"KCN@#", 2, 2},   {"ANKRD#", 2, 1}, {"MIR#", 4, 6}};
constexpr Family kMouse[] = {{"Gm#", 5, 22},  {"#@@Rik", 7, 14}, {"Olfr#", 4, 8},  {"Zfp#", 3, 9},   {"Tmem#", 3, 6},
                             {"Ccdc#", 3, 4}, {"Fam#@", 3, 6},   {"Slc#a#", 2, 8}, {"Vmn#r#", 2, 3}, {"Kcn@#", 2, 3},
                             {"Trim#", 2, 2}, {"Ankrd#", 2, 2},  {"Mir#", 4, 4},   {"AI#", 6, 3},    {"Rab#@", 2, 2}};

std::vector<std::string> words(const char* text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), std::istream_iterator<std::string>()};
}

// Mouse symbols have one capital letter.
std::string in_species(std::string symbol, Species species) {
  if (species == Species::mouse)
    for (std::size_t i = 1; i < symbol.size(); ++i) symbol[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(symbol[i])));
  return symbol;
}

std::vector<std::string> in_species(std::vector<std::string> symbols, Species species) {
  for (std::string& symbol : symbols) symbol = in_species(std::move(symbol), species);
  return symbols;
}

const Family& pick_family(Species species, RandomStream& random) {
  const Family* families = species == Species::human ? kHuman : kMouse;
  const std::size_t n = species == Species::human ? std::size(kHuman) : std::size(kMouse);
  int total = 0;
  for (std::size_t i = 0; i < n; ++i) total += families[i].weight;
  auto left = static_cast<int>(random.below(static_cast<std::uint32_t>(total)));
  std::size_t chosen = 0;
  while (left >= families[chosen].weight) left -= families[chosen++].weight;
  return families[chosen];
}

std::string make_symbol(const Family& family, RandomStream& random) {
  std::uint32_t limit = 1;
  for (int i = 0; i < family.digits; ++i) limit *= 10;
  std::string symbol;
  for (const char* c = family.pattern; *c; ++c) {
    if (*c == '@')
      symbol += static_cast<char>('A' + random.below(26));
    else if (*c == '#')
      symbol += std::to_string(1 + random.below(c[1] == '\0' && c[-1] == '.' ? 9 : limit - 1));
    else
      symbol += *c;
  }
  return symbol;
}

}  // namespace

std::vector<std::string> mitochondrial_symbols(Species species) {
  std::vector<std::string> symbols = in_species(words(kMitochondrial), species);
  for (std::string& symbol : symbols) symbol.insert(0, species == Species::human ? "MT-" : "mt-");
  return symbols;
}

std::vector<std::string> ribosomal_symbols(Species species) { return in_species(words(kRibosomal), species); }

std::vector<std::string> highly_expressed_symbols(Species species) { return in_species(words(kHighlyExpressed), species); }

std::vector<std::string> family_symbols(Species species, std::uint64_t seed, std::size_t count, const std::vector<std::string>& taken) {
  std::unordered_set<std::string> seen(taken.begin(), taken.end());
  std::vector<std::string> symbols;
  RandomStream random(seed, Purpose::genes, 1);
  while (symbols.size() < count) {
    std::string symbol = make_symbol(pick_family(species, random), random);
    if (!seen.insert(symbol).second) symbol += "-" + std::to_string(1 + symbols.size());  // as anndata makes names unique
    seen.insert(symbol);
    symbols.push_back(std::move(symbol));
  }
  return symbols;
}

}  // namespace quern::datasets
