#include "io/names/name_sources.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "host/core/error.hpp"

namespace quern::io {

void PositionalNames::read(RowRange range, std::vector<std::string>& names) {
  names.resize(static_cast<std::size_t>(range.size()));
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = prefix_ + std::to_string(range.first + static_cast<std::int64_t>(i) + 1);
}

void KeptNames::read(RowRange range, std::vector<std::string>& names) {
  constexpr std::int64_t span = 16384;  // names of the other source held at once
  names.resize(static_cast<std::size_t>(range.size()));
  std::vector<std::string> batch;
  for (std::int64_t next = range.first; next < range.last;) {
    const std::int64_t base = kept_[static_cast<std::size_t>(next)];
    const auto begin = kept_.begin() + next, end = std::lower_bound(begin, kept_.begin() + range.last, base + span);
    all_->read({base, *(end - 1) + 1}, batch);
    for (auto place = begin; place != end; ++place)
      names[static_cast<std::size_t>(place - kept_.begin() - range.first)] = batch[static_cast<std::size_t>(*place - base)];
    next = end - kept_.begin();
  }
}

UniqueNames::UniqueNames(NameSource& names, MemoryBudget& budget) {
  constexpr std::size_t place_bytes = 128;  // of a name in two sets, beside its text
  std::vector<std::string> part;
  names_.reserve(static_cast<std::size_t>(names.size()));
  for (RowRange rest{0, names.size()}; rest.size() > 0; rest.first += static_cast<std::int64_t>(part.size())) {
    read_some(names, {rest.first, std::min(rest.last, rest.first + 16384)}, part);
    claims_.push_back(budget.claim("names made unique", 3 * bytes_of(part) + part.size() * place_bytes));
    std::move(part.begin(), part.end(), std::back_inserter(names_));
  }
  make_unique();
}

void UniqueNames::make_unique() {
  std::unordered_set<std::string> taken(names_.begin(), names_.end()), seen;
  if (taken.size() == names_.size()) return;
  std::unordered_map<std::string, std::int64_t> counts;
  for (std::string& name : names_) {
    if (seen.insert(name).second) continue;
    std::int64_t& count = counts[name];
    std::string fresh;
    do fresh = name + "-" + std::to_string(++count);
    while (!taken.insert(fresh).second);
    name = fresh;
  }
}

void UniqueNames::read(RowRange range, std::vector<std::string>& names) {
  names.assign(names_.begin() + range.first, names_.begin() + range.last);
}

void read_some(NameSource& source, RowRange range, std::vector<std::string>& names) {
  for (;;) {
    try {
      return source.read(range, names);
    } catch (const Error& error) {
      if (error.code() != "text-too-long" || range.size() == 1) throw;
      range.last = range.first + std::max<std::int64_t>(1, range.size() / 8);
    }
  }
}

std::size_t bytes_of(const std::vector<std::string>& texts) {
  return std::transform_reduce(texts.begin(), texts.end(), std::size_t{0}, std::plus<>(), [](const std::string& t) { return bytes_of(t); });
}

}  // namespace quern::io
