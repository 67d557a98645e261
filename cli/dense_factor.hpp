// The dense matrix that `quern multiply` multiplies with: from an .npy by position, or from a table by name.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "host/ops/product.hpp"

namespace quern::cli {

// What the rows of the factor are rows of.
struct FactorRows {
  std::string what;             // "gene", "cell"
  std::int64_t size = 0;        // how many the matrix has
  NameSource* names = nullptr;  // theirs
  // Not empty: only those with a flag take part; the rows of others may be in a table, and are left out.
  std::vector<std::uint8_t> chosen = {};
  std::int64_t n_chosen() const;
};

// Held in memory as it is: float32 of an .npy with float32, else float64. Claims it ("dense factor") and, while a table is read, 24 bytes a
// name.
class DenseFactor {
 public:
  // `option` is named in messages. Throws what reading files throws; usage_error: "bad-factor" (not as many rows as the matrix needs, no
  // column or more than 256), "factor-names" (a table that lacks names, has others or repeats one, or a matrix whose own names repeat),
  // "unknown-extension"; input_error("bad-table").
  static DenseFactor read(const std::string& path, const std::string& option, const FactorRows& rows, MemoryBudget& budget);

  DenseView view() const;
  std::int64_t n_cols() const { return n_cols_; }
  ValueType type() const { return type_; }
  const std::vector<std::string>& column_names() const { return column_names_; }  // column_1 ... of an .npy
  bool has_names() const { return has_names_; }
  std::int64_t n_not_finite() const { return n_not_finite_; }  // NaN and infinite values

 private:
  friend class FactorReader;
  HostBlock block_;
  ValueType type_ = ValueType::f64;
  std::int64_t n_rows_ = 0, n_cols_ = 0, n_not_finite_ = 0;
  std::vector<std::string> column_names_;
  bool has_names_ = false;
};

}  // namespace quern::cli
