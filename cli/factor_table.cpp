#include "cli/factor_table.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <charconv>

#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

constexpr std::int64_t left_out = -1;

// The fields of a line, the first of which may be quoted as in CSV. False: a quote that does not end.
bool split(const std::string& line, std::vector<std::string>& fields) {
  fields.clear();
  std::size_t at = 0;
  do {
    std::string field;
    if (at < line.size() && line[at] == '"') {
      for (++at;; ++at) {
        if (at >= line.size()) return false;
        if (line[at] != '"')
          field += line[at];
        else if (at + 1 < line.size() && line[at + 1] == '"')
          field += line[at++];
        else
          break;
      }
      ++at;
    }
    const std::size_t end = std::min(line.find('\t', at), line.size());
    field.append(line, at, end - at);
    fields.push_back(std::move(field));
    at = end + 1;
  } while (at <= line.size());
  return true;
}

bool parse_number(const std::string& text, double& value) {
  const char *begin = text.data(), *end = begin + text.size();
  const auto [used, problem] = std::from_chars(begin, end, value);
  return problem == std::errc() && used == end;
}

}  // namespace

FactorTable::FactorTable(const std::string& path, const std::string& option, const FactorRows& rows, MemoryBudget& budget)
    : path_(path), option_(option), rows_(rows), lines_(path) {
  ++line_number_;
  if (!lines_.next(line_)) refuse_line("the table is empty");
  if (!split(line_, fields_)) refuse_line("a quote does not end");
  column_names_.assign(fields_.begin() + 1, fields_.end());
  claim_ = budget.claim("names that a table is matched with", static_cast<std::size_t>(rows.size) * (sizeof(Place) + 1));
  read_names();
}

void FactorTable::refuse_line(const std::string& found) const {
  throw input_error("bad-table", option_, fmt::format("line {}: {}", line_number_, found),
                    "a table has names in its first column, numbers in the others, and one line of heads")
      .in_file(path_);
}

void FactorTable::refuse_names(const std::string& found, const std::string& hint) const {
  throw usage_error("factor-names", option_, found, hint);
}

FactorTable::NameHash FactorTable::hash_of(const std::string& name) {
  const XXH128_hash_t hash = XXH3_128bits(name.data(), name.size());
  return {hash.high64, hash.low64};
}

// Names of rows that were not chosen are known, too, so that they are told from names that do not exist.
void FactorTable::read_names() {
  places_.reserve(static_cast<std::size_t>(rows_.size));
  std::int64_t next = 0;
  io::for_each_name(*rows_.names, [&](const std::string& name, std::int64_t row) {
    const bool chosen = rows_.chosen.empty() || rows_.chosen[static_cast<std::size_t>(row)] != 0;
    places_.push_back({hash_of(name), chosen ? next++ : left_out});
  });
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) { return a.hash < b.hash; });
  seen_.assign(places_.size(), 0);
}

std::int64_t FactorTable::place_of(const std::string& name) {
  const NameHash hash = hash_of(name);
  const auto found = std::lower_bound(places_.begin(), places_.end(), hash, [](const Place& a, const NameHash& b) { return a.hash < b; });
  if (found == places_.end() || found->hash != hash)
    refuse_names(fmt::format("line {} of {} names '{}', which is no {} of the matrix", line_number_, path_, name, rows_.what),
                 "leave it out of the table");
  if (found + 1 != places_.end() && (found + 1)->hash == hash)
    refuse_names(fmt::format("several {}s of the matrix are called '{}'", rows_.what, name), "give the numbers by position, in an .npy");
  std::uint8_t& seen = seen_[static_cast<std::size_t>(found - places_.begin())];
  if (seen) refuse_names(fmt::format("line {} of {} names '{}' a second time", line_number_, path_, name), "a name has one row");
  seen = 1;
  return found->row;
}

bool FactorTable::next(std::span<double> values, std::int64_t& row) {
  do {
    ++line_number_;
    if (!lines_.next(line_)) return false;
  } while (line_.empty());
  if (!split(line_, fields_)) refuse_line("a quote does not end");
  if (fields_.size() != values.size() + 1) refuse_line(fmt::format("{} columns, the head has {}", fields_.size(), values.size() + 1));
  row = place_of(fields_.front());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!parse_number(fields_[i + 1], values[i])) refuse_line(fmt::format("'{}' is no number", fields_[i + 1].substr(0, 40)));
  return true;
}

void FactorTable::refuse_missing() {
  std::int64_t n_missing = 0, first = 0;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    if (seen_[i] != 0 || places_[i].row == left_out) continue;
    if (++n_missing == 1 || places_[i].row < first) first = places_[i].row;
  }
  if (n_missing == 0) return;
  std::string example;
  std::int64_t next = 0;
  io::for_each_name(*rows_.names, [&](const std::string& name, std::int64_t row) {
    const bool chosen = rows_.chosen.empty() || rows_.chosen[static_cast<std::size_t>(row)] != 0;
    if (chosen && next++ == first) example = name;
  });
  refuse_names(fmt::format("{} has no row for {} of the {} {}s: {}{}", path_, n_missing, rows_.n_chosen(), rows_.what, example,
                           n_missing > 1 ? " ..." : ""),
               rows_.what == "gene" ? "--genes @FILE chooses the genes that take part" : "every cell needs a row");
}

}  // namespace quern::cli
