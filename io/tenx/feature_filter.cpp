#include "io/tenx/feature_filter.hpp"

#include <algorithm>
#include <map>

#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"

namespace quern::io {
namespace {

constexpr std::size_t most_labels_told = 100;

std::string listing(const std::map<std::string, std::int64_t>& counts) {
  std::string text;
  for (const auto& [label, count] : counts)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + (label.empty() ? "without" : label);
  return text;
}

}  // namespace

void FeatureFilter::keep_only(NameSource& labels, const std::string& wanted, const std::string& what, const std::string& code) {
  std::map<std::string, std::int64_t> others;
  bool found = false;
  for_each_name(labels, [&](const std::string& label, std::int64_t feature) {
    if (label == wanted) {
      found = true;
    } else {
      ++others[others.size() < most_labels_told || others.contains(label) ? label : "of yet other kinds"];
      keep_[static_cast<std::size_t>(feature)] = 0;
    }
  });
  if (!found && !keep_.empty())
    throw usage_error(code, wanted, "no feature has this " + what + "; the file has " + listing(others), "name one of these");
  if (!others.empty()) left_out_ += (left_out_.empty() ? "" : ", ") + listing(others);
}

std::int64_t FeatureFilter::kept() const { return std::count(keep_.begin(), keep_.end(), 1); }

std::vector<std::int64_t> FeatureFilter::kept_features() const {
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < keep_.size(); ++i)
    if (keep_[i] != 0) kept.push_back(static_cast<std::int64_t>(i));
  return kept;
}

ColumnMap FeatureFilter::map() const {
  ColumnMap map;
  if (keeps_all()) return map;
  map.to.reserve(keep_.size());
  for (const char keep : keep_) map.to.push_back(keep != 0 ? static_cast<std::int32_t>(map.n_kept++) : -1);
  return map;
}

}  // namespace quern::io
