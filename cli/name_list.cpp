#include "cli/name_list.hpp"

#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/list_lines.hpp"
#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

constexpr std::size_t most_examples = 3;

// Stands for the name: that two of them meet is out of the question at 128 bits.
using NameHash = std::pair<std::uint64_t, std::uint64_t>;

NameHash hash_of(std::string_view name) {
  const XXH128_hash_t hash = XXH3_128bits(name.data(), name.size());
  return {hash.high64, hash.low64};
}

class Listed {
 public:
  Listed(const std::string& file, const std::string& option, MemoryBudget& budget) {
    std::size_t n_lines = 0;
    for_each_listed(file, option, [&](const std::string&) { ++n_lines; });
    claim_ = budget.claim("lists of names", n_lines * (sizeof(NameHash) + 1));
    hashes_.reserve(n_lines);
    for_each_listed(file, option, [&](const std::string& line) {
      if (hashes_.size() < n_lines) hashes_.push_back(hash_of(line));
    });
    std::sort(hashes_.begin(), hashes_.end());
    hashes_.erase(std::unique(hashes_.begin(), hashes_.end()), hashes_.end());
    seen_.assign(hashes_.size(), 0);
  }
  bool see(const std::string& name) {
    std::uint8_t* flag = find(trimmed(name));
    if (flag) *flag = 1;
    return flag != nullptr;
  }
  bool was_seen(const std::string& name) {
    const std::uint8_t* flag = find(name);
    return flag && *flag != 0;
  }
  std::int64_t size() const { return static_cast<std::int64_t>(hashes_.size()); }
  std::int64_t n_unseen() const { return std::count(seen_.begin(), seen_.end(), 0); }

 private:
  std::uint8_t* find(std::string_view name) {
    const NameHash hash = hash_of(name);
    const auto at = std::lower_bound(hashes_.begin(), hashes_.end(), hash);
    return at == hashes_.end() || *at != hash ? nullptr : &seen_[static_cast<std::size_t>(at - hashes_.begin())];
  }
  Claim claim_;
  std::vector<NameHash> hashes_;
  std::vector<std::uint8_t> seen_;
};

}  // namespace

namespace {

std::string hint_for(const std::string& word, const std::string& option) {
  std::error_code unknown;
  if (std::filesystem::is_regular_file(word, unknown)) return "a list is read with @: " + option + " @" + word;
  return "name a file with one name a line: " + option + " @FILE";
}

}  // namespace

std::string list_file(const std::string& word, const std::string& option) {
  if (word.size() < 2 || word.front() != '@') throw usage_error("bad-list", option, "'" + word + "' is no list", hint_for(word, option));
  return word.substr(1);
}

UnknownNames keep_listed(const std::string& file, const std::string& option, NameSource& names, std::span<std::uint8_t> kept,
                         MemoryBudget& budget) {
  Listed listed(file, option, budget);
  UnknownNames unknown;
  io::for_each_name(names, [&](const std::string& name, std::int64_t row) {
    if (!listed.see(name)) kept[static_cast<std::size_t>(row)] = 0;
    if (row == 0) unknown.first_name = name;
  });
  unknown.n_listed = listed.size();
  unknown.n_unknown = listed.n_unseen();
  if (unknown.n_unknown == 0) return unknown;
  for_each_listed(file, option, [&](const std::string& line) {
    if (unknown.examples.size() < most_examples && !listed.was_seen(line)) unknown.examples.push_back(line);
  });
  return unknown;
}

std::size_t bytes_of_lists(const std::vector<std::string>& files) {
  constexpr std::size_t shortest_line = 6;
  std::uintmax_t bytes = 0;
  std::error_code unknown;
  for (const std::string& file : files)
    if (const auto size = file.empty() ? 0 : std::filesystem::file_size(file, unknown); !unknown) bytes += size;
  return static_cast<std::size_t>(bytes) / shortest_line * (sizeof(NameHash) + 1);
}

std::string advice_on(const UnknownNames& unknown) {
  if (unknown.n_unknown < unknown.n_listed || unknown.examples.empty()) return {};
  const std::string& example = unknown.examples.front();
  const bool has_columns = example.find_first_of(",;\t") != std::string::npos;
  return "; the first name of the file is " + unknown.first_name + (has_columns ? "; a list has one name a line and nothing else" : "");
}

}  // namespace quern::cli
