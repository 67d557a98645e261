// A dense matrix of floats or doubles in obsm or varm, written row after row.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "host/core/csr_chunk.hpp"
#include "io/carry/rows_out.hpp"

namespace quern::io {

// As anndata writes arrays: tagged, contiguous. Serial.
class ArrayOut {
 public:
  ArrayOut(const OutputGroup& parent, const std::string& name, std::int64_t n_rows, std::int64_t n_cols, MemoryBudget& budget,
           ValueType type = ValueType::f64);
  void append(std::span<const double> rows) { rows_.append(std::as_bytes(rows)); }  // whole rows
  void append(std::span<const float> rows) { rows_.append(std::as_bytes(rows)); }   // of the array's type
  void finish();                                                                    // internal error("wrong-length") when rows are missing

 private:
  RowsOut rows_;
};

}  // namespace quern::io
