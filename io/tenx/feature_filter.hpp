// Which features of a 10x file become genes: by feature type, by genome.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/sources.hpp"

namespace quern::io {

class FeatureFilter {
 public:
  explicit FeatureFilter(std::int64_t n_features) : keep_(static_cast<std::size_t>(n_features), 1) {}
  // Leaves out the features whose label is another. usage_error (code) listing the labels when none has the wanted one.
  // Reads all labels. `what`: "feature type" or "genome".
  void keep_only(NameSource& labels, const std::string& wanted, const std::string& what, const std::string& code);
  // "21 hg19, 18 mm10", of the features kept so far; empty when they have less than two labels (none does not count). Reads all labels.
  std::string kept_labels(NameSource& labels) const;
  bool keeps_all() const { return kept() == static_cast<std::int64_t>(keep_.size()); }
  std::int64_t kept() const;
  std::vector<std::int64_t> kept_features() const;
  ColumnMap map() const;  // empty when all are kept
  // "17 Antibody Capture, 2 Custom", each feature once; empty when nothing is left out.
  const std::string& left_out() const { return left_out_; }

 private:
  std::vector<char> keep_;
  std::string left_out_;
};

}  // namespace quern::io
