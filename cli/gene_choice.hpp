// Which genes a verb computes with: --genes @FILE, --mask var/COLUMN, or all of them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "host/core/memory.hpp"
#include "io/input.hpp"

namespace quern::cli {

struct GeneChoice {
  std::string list, mask;  // as given: "@FILE", "var/COLUMN"
  bool is_all() const { return list.empty() && mask.empty(); }
};

void declare_gene_choice(OptionSet& set, GeneChoice& choice);
// Before anything is opened: usage_error "two-choices", "bad-list", "bad-value". The list becomes one of session.inputs.
void check_gene_choice(const GeneChoice& choice, Session& session);
// A flag for every gene of the chosen matrix. usage_error: "no-such-genes" (a name of the list that no gene has), "no-such-column",
// "bad-mask" (a column that is not true or false for every gene), "no-genes-chosen"; input_error("no-genes"). Claims while it runs; the
// flags are the caller's to claim.
std::vector<std::uint8_t> choose_genes(const GeneChoice& choice, io::Input& input, MemoryBudget& budget);

}  // namespace quern::cli
