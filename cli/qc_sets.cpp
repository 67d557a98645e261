#include "cli/qc_sets.hpp"

#include "cli/bounded_regex.hpp"
#include "cli/list_lines.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "host/core/error.hpp"
#include "host/ops/op_spec.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_mitochondrial(const std::string& gene) {
  return gene.size() >= 3 && lower(gene[0]) == 'm' && lower(gene[1]) == 't' && gene[2] == '-';
}

bool is_ribosomal(const std::string& gene) {
  return gene.starts_with("RPS") || gene.starts_with("RPL") || gene.starts_with("Rps") || gene.starts_with("Rpl");
}

GeneSetRule rule_from_pattern(const std::string& name, const std::string& pattern) {
  const auto regex = std::make_shared<BoundedRegex>(pattern, "--qc-vars " + name);
  const auto matches = [regex](const std::string& gene) { return gene.size() <= longest_matched_name && regex->is_in(gene); };
  return {name, matches, pattern, {}, 0};
}

GeneSetRule rule_from_file(const std::string& name, const std::string& path) {
  const auto names = std::make_shared<std::unordered_set<std::string>>();
  for_each_listed(path, "--qc-vars " + name, [&](const std::string& gene) { names->insert(gene); });
  return {name, [names](const std::string& gene) { return names->contains(std::string(trimmed(gene))); }, {}, path, names->size()};
}

GeneSetRule ready_made(const std::string& name) {
  if (name == "mt") return {name, is_mitochondrial, {}, {}, 0};
  if (name == "ribo") return {name, is_ribosomal, {}, {}, 0};
  throw usage_error("bad-qc-var", "--qc-vars " + name, "is neither mt nor ribo nor none",
                    "say what it is: --qc-vars NAME=REGEX or NAME=@FILE");
}

void put(std::vector<GeneSetRule>& rules, GeneSetRule rule) {
  const auto same = std::find_if(rules.begin(), rules.end(), [&](const GeneSetRule& r) { return r.name == rule.name; });
  if (same != rules.end())
    *same = std::move(rule);
  else
    rules.push_back(std::move(rule));
}

void put_word(std::vector<GeneSetRule>& rules, const std::string& word) {
  const auto equals = word.find('=');
  if (equals != std::string::npos) {
    const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name.empty() || value.empty())
      throw usage_error("bad-qc-var", "--qc-vars " + word, "needs a name and a pattern", "NAME=REGEX or NAME=@FILE");
    put(rules, value.starts_with('@') ? rule_from_file(name, value.substr(1)) : rule_from_pattern(name, value));
    return;
  }
  std::istringstream names(word);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "none")
      rules.clear();
    else
      put(rules, ready_made(name));
  }
}

// A table of hashes at most half full: to find those that come again, in one look each.
class HashTable {
 public:
  explicit HashTable(std::size_t n_hashes) : places_(std::bit_ceil(std::max<std::size_t>(2 * n_hashes, 2))) {}
  static std::size_t bytes(std::size_t n_hashes) { return std::bit_ceil(std::max<std::size_t>(2 * n_hashes, 2)) * sizeof(std::uint64_t); }
  // False when it was there already.
  bool insert(std::uint64_t hash) {
    hash += hash == empty;
    std::size_t at = hash & (places_.size() - 1);
    while (places_[at] != empty && places_[at] != hash) at = (at + 1) & (places_.size() - 1);
    return std::exchange(places_[at], hash) == empty;
  }

 private:
  static constexpr std::uint64_t empty = 0;
  std::vector<std::uint64_t> places_;
};

std::uint64_t hash_of(const std::string& name) { return XXH3_64bits(name.data(), name.size()); }

}  // namespace

std::vector<GeneSetRule> parse_qc_vars(const std::vector<std::string>& words) {
  std::vector<GeneSetRule> rules{ready_made("mt")};
  for (const std::string& word : words) put_word(rules, word);
  if (rules.size() > max_gene_sets)
    throw usage_error("too-many-qc-vars", "--qc-vars", fmt::format("{} are more than {}", rules.size(), max_gene_sets));
  return rules;
}

GeneSets match_gene_sets(const std::vector<GeneSetRule>& rules, NameSource& genes, MemoryBudget& budget) {
  const auto n_genes = static_cast<std::size_t>(genes.size());
  GeneSets result;
  for (const GeneSetRule& rule : rules) result.sets.push_back({rule.name, 0, 0});
  result.claim = budget.claim("gene sets", n_genes * sizeof(std::uint32_t));
  result.members.assign(n_genes, 0);
  const Claim hash_claim = budget.claim("search for repeated names", HashTable::bytes(n_genes));
  HashTable seen(n_genes);
  const bool has_patterns = std::any_of(rules.begin(), rules.end(), [](const GeneSetRule& rule) { return !rule.pattern.empty(); });
  std::vector<std::unordered_set<std::uint64_t>> found(rules.size());
  io::for_each_name(genes, [&](const std::string& name, std::int64_t gene) {
    const std::uint64_t hash = hash_of(name);
    result.n_repeated_names += !seen.insert(hash);
    result.n_too_long += has_patterns && name.size() > longest_matched_name;
    for (std::size_t q = 0; q < rules.size(); ++q) {
      if (!rules[q].matches(name)) continue;
      result.members[static_cast<std::size_t>(gene)] |= std::uint32_t{1} << q;
      ++result.sets[q].n_genes;
      if (rules[q].n_listed > 0 && found[q].insert(hash).second) ++result.sets[q].n_found;
    }
  });
  return result;
}

}  // namespace quern::cli
