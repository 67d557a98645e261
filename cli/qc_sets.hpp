// The groups of genes whose share of a cell's counts is wanted (scanpy's qc_vars).
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"

namespace quern::cli {

struct GeneSetRule {
  std::string name;
  std::function<bool(const std::string& gene)> matches;
  std::string pattern;       // the user's own, if it is one
  std::string file;          // the list it was read from, if it was
  std::size_t n_listed = 0;  // different names in that list
};

// `words` as given to --qc-vars: "mt", "ribo" (also "mt,ribo"), "none", "NAME=REGEX", "NAME=@FILE". Starts from mt; "none" drops what
// stands before it. Throws usage_error ("bad-qc-var", "bad-regex", "too-many-qc-vars"), input_error("unreadable-list").
std::vector<GeneSetRule> parse_qc_vars(const std::vector<std::string>& words);

struct GeneSets {
  struct Set {
    std::string name;
    std::int64_t n_genes = 0;
    std::int64_t n_found = 0;  // names of the rule's list that a gene has
  };
  std::vector<Set> sets;
  std::vector<std::uint32_t> members;  // per gene; bit q: in sets[q]
  std::int64_t n_repeated_names = 0;   // genes whose name an earlier gene has
  std::int64_t n_too_long = 0;         // genes whose name is too long for patterns: they match none
  Claim claim;                         // for members
};

constexpr std::size_t longest_matched_name = 2000;  // std::regex recurses once a character

// Reads all gene names once, in ranges. Claims what it keeps, and while it runs what it needs to find repeated names.
// Throws usage_error("bad-regex") when a pattern takes too much work.
GeneSets match_gene_sets(const std::vector<GeneSetRule>& rules, NameSource& genes, MemoryBudget& budget);

}  // namespace quern::cli
