#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cli/qc_run.hpp"
#include "cli/sizes.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

constexpr double largest_plausible_log = 20;  // log1p of 4.8e8

}  // namespace

std::vector<std::int32_t> parse_percent_top(const std::string& text) {
  std::vector<std::int32_t> result;
  if (text == "none") return result;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');)
    result.push_back(static_cast<std::int32_t>(std::min(parse_integer(word, "--percent-top", 1), std::int64_t{INT32_MAX})));
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::vector<std::int32_t> usable_percent_top(std::vector<std::int32_t> wanted, std::int64_t n_vars, Session& session) {
  const auto too_large = std::find_if(wanted.begin(), wanted.end(), [&](std::int32_t n) { return n > n_vars; });
  if (too_large != wanted.end())
    session.warn("percent-top-too-large", fmt::format("--percent-top {} left out: the matrix has {} genes",
                                                      fmt::join(too_large, wanted.end(), ","), format_count(n_vars)));
  wanted.erase(too_large, wanted.end());
  return wanted;
}

void warn_of_names(const std::vector<GeneSetRule>& rules, const GeneSets& sets, Session& session) {
  for (std::size_t q = 0; q < rules.size(); ++q) {
    const GeneSets::Set& set = sets.sets[q];
    if (set.n_genes == 0 && set.name == "mt")
      session.warn("no-mt-genes",
                   "no gene name starts with MT- or mt-, so the mt columns are 0; if the names are identifiers, give a list with --qc-vars "
                   "mt=@FILE");
    else if (set.n_genes == 0)
      session.warn("no-matching-genes", fmt::format("no gene belongs to {}, so its columns are 0", set.name));
    else if (static_cast<std::int64_t>(rules[q].n_listed) > set.n_genes)
      session.warn("names-not-found", fmt::format("{} of the {} names in {} are no genes of this matrix",
                                                  format_count(static_cast<std::int64_t>(rules[q].n_listed) - set.n_genes),
                                                  format_count(static_cast<std::int64_t>(rules[q].n_listed)), rules[q].file));
  }
  if (sets.n_repeated_names > 0)
    session.warn("duplicate-names", fmt::format("{} genes have a name that an earlier gene has", format_count(sets.n_repeated_names)));
}

void warn_of_values(const ChunkFacts& facts, bool integer_mode, const QcInput& input, Session& session) {
  if (facts.has_nan) session.warn("has-nan", "some values are NaN; the sums they enter are NaN");
  if (facts.has_infinity) session.warn("has-infinity", "some values are infinite");
  if (facts.has_negative) session.warn("has-negative", "some values are negative: these are no counts");
  if (integer_mode) return;
  session.warn("not-whole-numbers", "the values are not all whole numbers below 2^31: these are no counts");
  if (facts.has_nan || facts.has_negative || facts.max_abs > largest_plausible_log || facts.max_abs == 0) return;
  const std::string advice = input.has_raw && input.matrix_name != "raw" ? "; the counts may be in --layer raw" : "";
  session.warn("looks-log-transformed",
               fmt::format("the largest value is {:.4g}: the matrix looks log-transformed{}", facts.max_abs, advice));
}

}  // namespace quern::cli
