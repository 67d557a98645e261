// A table of numbers whose first column names rows of the matrix: read line by line, each told where it belongs.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/dense_factor.hpp"
#include "io/mtx/text_lines.hpp"

namespace quern::cli {

class FactorTable {
 public:
  // Reads the head. Throws as DenseFactor::read does. Claims 25 bytes a name of the matrix.
  FactorTable(const std::string& path, const std::string& option, const FactorRows& rows, MemoryBudget& budget);
  const std::vector<std::string>& column_names() const { return column_names_; }
  // The next line; `row` is its place among the chosen rows, -1 when its name is not chosen. False at the end.
  bool next(std::span<double> values, std::int64_t& row);
  void refuse_missing();  // after the last line

 private:
  using NameHash = std::pair<std::uint64_t, std::uint64_t>;
  struct Place {
    NameHash hash;
    std::int64_t row;
  };
  static NameHash hash_of(const std::string& name);
  void read_names();
  [[noreturn]] void refuse_line(const std::string& found) const;
  [[noreturn]] void refuse_names(const std::string& found, const std::string& hint) const;
  std::int64_t place_of(const std::string& name);
  std::string path_, option_;
  const FactorRows& rows_;
  Claim claim_;
  io::TextLines lines_;
  std::int64_t line_number_ = 0;
  std::string line_;
  std::vector<std::string> column_names_, fields_;
  std::vector<Place> places_;
  std::vector<std::uint8_t> seen_;  // of places_
};

}  // namespace quern::cli
