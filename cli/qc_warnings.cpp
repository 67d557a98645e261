#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "cli/qc_run.hpp"
#include "cli/sizes.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

constexpr double largest_plausible_log = 20;  // log1p of 4.8e8

// No gene belongs to the group.
void warn_of_empty(const GeneSetRule& rule, Session& session) {
  if (!rule.pattern.empty()) {
    std::error_code unknown;
    const bool is_file = std::filesystem::is_regular_file(rule.pattern, unknown);
    const std::string advice = is_file ? fmt::format("; a list is read with @: --qc-vars {}=@{}", rule.name, rule.pattern) : "";
    session.warn("no-matching-genes",
                 fmt::format("no gene name matches {} of {}, so its columns are 0{}", rule.pattern, rule.name, advice));
  } else if (!rule.file.empty()) {
    session.warn("no-matching-genes", fmt::format("none of the {} names in {} is a gene of this matrix, so the columns of {} are 0",
                                                  format_count(static_cast<std::int64_t>(rule.n_listed)), rule.file, rule.name));
  } else if (rule.name == "mt") {
    session.warn("no-mt-genes",
                 "no gene name starts with MT- or mt-, so the mt columns are 0; if the names are identifiers, give a list with --qc-vars "
                 "mt=@FILE");
  } else {
    session.warn("no-matching-genes", fmt::format("no gene belongs to {}, so its columns are 0", rule.name));
  }
}

void warn_of_missing(const GeneSetRule& rule, const GeneSets::Set& set, Session& session) {
  const auto n_listed = static_cast<std::int64_t>(rule.n_listed);
  if (n_listed > set.n_found)
    session.warn("names-not-found", fmt::format("{} of the {} names in {} are no genes of this matrix",
                                                format_count(n_listed - set.n_found), format_count(n_listed), rule.file));
}

}  // namespace

std::vector<std::int64_t> parse_percent_top(const std::string& text) {
  std::vector<std::int64_t> result;
  if (text == "none") return result;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) result.push_back(parse_integer(word, "--percent-top", 1));
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

std::vector<std::int32_t> usable_percent_top(const std::vector<std::int64_t>& wanted, std::int64_t n_vars, Session& session) {
  const auto too_large = std::find_if(wanted.begin(), wanted.end(), [&](std::int64_t n) { return n > n_vars; });
  if (too_large != wanted.end())
    session.warn("percent-top-too-large", fmt::format("--percent-top {} left out: the matrix has {} genes",
                                                      fmt::join(too_large, wanted.end(), ","), format_count(n_vars)));
  std::vector<std::int32_t> usable;  // no matrix has more genes than that
  for (auto n = wanted.begin(); n != too_large; ++n) usable.push_back(static_cast<std::int32_t>(*n));
  return usable;
}

void warn_of_names(const std::vector<GeneSetRule>& rules, const GeneSets& sets, Session& session) {
  for (std::size_t q = 0; q < rules.size(); ++q) {
    if (sets.sets[q].n_genes == 0)
      warn_of_empty(rules[q], session);
    else
      warn_of_missing(rules[q], sets.sets[q], session);
  }
  if (sets.n_too_long > 0)
    session.warn("names-too-long", fmt::format("{} genes have names of more than {} characters, which no pattern is compared with",
                                               format_count(sets.n_too_long), format_count(longest_matched_name)));
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
