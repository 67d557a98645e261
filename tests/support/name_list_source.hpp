// Names of cells or genes that a test has in memory.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "host/core/chunk_source.hpp"

namespace quern::test {

class ListedNames final : public NameSource {
 public:
  explicit ListedNames(std::vector<std::string> names) : names_(std::move(names)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(names_.size()); }
  void read(RowRange range, std::vector<std::string>& names) override {
    names.assign(names_.begin() + range.first, names_.begin() + range.last);
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace quern::test
