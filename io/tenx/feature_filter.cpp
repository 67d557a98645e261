#include "io/tenx/feature_filter.hpp"

#include <algorithm>
#include <map>

#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"

namespace quern::io {
namespace {

constexpr std::size_t most_labels_told = 100;

using LabelCounts = std::map<std::string, std::int64_t>;

void count(const std::string& label, LabelCounts& counts) {
  ++counts[counts.size() < most_labels_told || counts.contains(label) ? label : "of yet other kinds"];
}

std::string listing(const LabelCounts& counts) {
  std::string text;
  for (const auto& [label, count] : counts)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + (label.empty() ? "without" : label);
  return text;
}

}  // namespace

void FeatureFilter::keep_only(NameSource& labels, const std::string& wanted, const std::string& what, const std::string& code) {
  LabelCounts others, newly_left_out;
  bool found = false;
  for_each_name(labels, [&](const std::string& label, std::int64_t feature) {
    if (label == wanted) {
      found = true;
      return;
    }
    char& keep = keep_[static_cast<std::size_t>(feature)];
    count(label, others);
    if (keep != 0) count(label, newly_left_out);
    keep = 0;
  });
  if (!found && !keep_.empty())
    throw usage_error(code, wanted, "no feature has this " + what + "; the file has " + listing(others), "name one of these");
  if (!newly_left_out.empty()) left_out_ += (left_out_.empty() ? "" : ", ") + listing(newly_left_out);
}

std::string FeatureFilter::kept_labels(NameSource& labels) const {
  LabelCounts kept;
  for_each_name(labels, [&](const std::string& label, std::int64_t feature) {
    if (keep_[static_cast<std::size_t>(feature)] != 0 && !label.empty()) count(label, kept);
  });
  return kept.size() > 1 ? listing(kept) : "";
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
