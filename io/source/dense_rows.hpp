// Dense stored rows become CSR rows: zeros are dropped, everything else (NaN too) is kept.
#pragma once
#include <cstddef>
#include <cstdint>

#include "host/core/chunk_source.hpp"
#include "io/decode/stored_type.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/sources.hpp"

namespace quern::io {

// Fills the slot row after row. The slot has room for rows x columns entries.
class DenseRowWriter {
 public:
  // `columns.to` must keep the order of the columns it keeps.
  DenseRowWriter(const RawDataset& values, const ColumnMap& columns, ChunkBuffer& slot)
      : values_(values), type_(values.type()), columns_(columns), slot_(slot) {
    slot_.offsets[0] = 0;
  }
  // The next n stored elements of the current row, which are its columns from first_column on. Throws NeedsWiderValues.
  void add(const std::byte* raw, std::size_t n, std::size_t first_column);
  void end_row() { slot_.offsets[++n_rows_] = static_cast<std::int32_t>(n_kept_); }
  void finish();  // sets the slot's facts

 private:
  template <class V>
  void add_as(const std::byte* raw, std::size_t n, std::size_t first_column);
  template <class V>
  void keep(const V* values, std::size_t n, std::size_t first_column);

  const RawDataset& values_;
  const StoredType& type_;
  const ColumnMap& columns_;
  ChunkBuffer& slot_;
  std::size_t n_rows_ = 0, n_kept_ = 0;
};

}  // namespace quern::io
