#include "cli/gene_choice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/name_list.hpp"
#include "cli/suggest.hpp"
#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

constexpr const char* mask_start = "var/";

void keep_named(const std::string& file, io::Input& input, std::vector<std::uint8_t>& kept, MemoryBudget& budget) {
  const UnknownNames unknown = keep_listed(file, "--genes", *input.column_names(), kept, budget);
  if (unknown.n_unknown == 0) return;
  std::string examples;
  for (const std::string& name : unknown.examples) examples += (examples.empty() ? "" : ", ") + printable(name);
  const bool more = unknown.n_unknown > static_cast<std::int64_t>(unknown.examples.size());
  throw usage_error("no-such-genes", "--genes",
                    fmt::format("{} of the {} names in {} are no genes of this file: {}{}", unknown.n_unknown, unknown.n_listed, file,
                                examples, more ? " ..." : ""),
                    "quern show INPUT var tells their names");
}

const io::FrameInfo& genes_of(io::Input& input) { return input.matrix().name == "raw" ? input.info().raw_var : input.info().var; }

void refuse_column(const io::FrameInfo& frame, const std::string& name, const std::string& mask) {
  std::vector<std::string> masks, all;
  for (const io::ColumnInfo& column : frame.columns) {
    all.push_back(column.name);
    if (column.kind == "bool" || column.kind == "nullable-bool") masks.push_back(column.name);
  }
  const auto found = std::find_if(frame.columns.begin(), frame.columns.end(), [&](const io::ColumnInfo& c) { return c.name == name; });
  if (found == frame.columns.end())
    throw usage_error("no-such-column", "--mask " + mask, "there is no such column of genes", suggestion(name, all));
  if (std::find(masks.begin(), masks.end(), name) == masks.end())
    throw usage_error("bad-mask", "--mask " + mask, "the column is " + found->kind + ", not true or false");
}

void keep_masked(const std::string& mask, io::Input& input, std::vector<std::uint8_t>& kept) {
  const std::string name = mask.substr(std::string(mask_start).size());
  const io::FrameInfo& frame = genes_of(input);
  refuse_column(frame, name, mask);
  const auto flags = input.column(frame, name);
  if (flags->size() != static_cast<std::int64_t>(kept.size()))
    throw usage_error("bad-mask", "--mask " + mask, fmt::format("the column has {} values for {} genes", flags->size(), kept.size()));
  io::for_each_name(*flags, [&](const std::string& flag, std::int64_t gene) {
    if (flag.empty()) throw usage_error("bad-mask", "--mask " + mask, fmt::format("gene {} is neither true nor false", gene + 1));
    kept[static_cast<std::size_t>(gene)] = flag == "True";
  });
}

}  // namespace

void declare_gene_choice(OptionSet& set, GeneChoice& choice) {
  set.text("--genes", "@FILE", choice.list, "the genes named in this file, one a line");
  set.text("--mask", "var/COLUMN", choice.mask, "the genes where this column of var is true");
}

void check_gene_choice(const GeneChoice& choice, Session& session) {
  if (!choice.list.empty() && !choice.mask.empty()) throw usage_error("two-choices", "--genes", "--mask is given, too", "give one of them");
  if (!choice.list.empty()) session.inputs.push_back(list_file(choice.list, "--genes"));
  const std::string start = mask_start;
  if (!choice.mask.empty() && (!choice.mask.starts_with(start) || choice.mask.size() == start.size()))
    throw usage_error("bad-value", "--mask", "'" + choice.mask + "' names no column of var", "for example --mask var/highly_variable");
}

std::vector<std::uint8_t> choose_genes(const GeneChoice& choice, io::Input& input, MemoryBudget& budget) {
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(input.n_vars()), 1);
  if (kept.empty()) throw input_error("no-genes", input.matrix().name, "the matrix has no genes");
  if (!choice.list.empty()) keep_named(list_file(choice.list, "--genes"), input, kept, budget);
  if (!choice.mask.empty()) keep_masked(choice.mask, input, kept);
  if (std::find(kept.begin(), kept.end(), 1) == kept.end())
    throw usage_error("no-genes-chosen", choice.list.empty() ? "--mask" : "--genes", "no gene is left to compute with");
  return kept;
}

}  // namespace quern::cli
