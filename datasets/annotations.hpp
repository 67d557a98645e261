// What obs says of the cells: names and labels, the same in every layout.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/cell_model.hpp"

namespace quern::datasets {

// A label that follows from the cell's sample or from its cluster.
struct LabelColumn {
  std::string name;
  std::vector<std::string> categories;  // sorted
  bool of_cluster = false;
  std::vector<std::int32_t> codes;  // by sample, or by cluster
  std::int32_t code(const Cell& cell) const { return codes[static_cast<std::size_t>(of_cluster ? cell.cluster : cell.sample)]; }
};

std::vector<LabelColumn> make_labels(const GenerateSpec& spec, const CellModel& model);

// Unique; a 16-base barcode with the sample before it (old layout) or its number after it.
class CellNames {
 public:
  explicit CellNames(const GenerateSpec& spec);
  std::string name(std::int64_t number, const Cell& cell) const;
  std::size_t longest() const;

 private:
  bool legacy_;
  std::int32_t n_samples_;
  std::uint32_t offset_;
};

}  // namespace quern::datasets
