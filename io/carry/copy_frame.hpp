// obs, var and other tables, of every generation, as dataframes of anndata 0.8.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/carry/context.hpp"
#include "io/h5ad/column.hpp"
#include "io/h5ad_write/output_file.hpp"

namespace quern::io {

enum class ColumnType { boolean, int32, int64, uint64, float32, float64 };
std::size_t size_of(ColumnType type);

// A column that the file does not have yet, or that replaces one in place.
struct NewColumn {
  std::string name;
  ColumnType type = ColumnType::float64;
  // Puts the values of these (kept) rows one after the other.
  std::function<void(RowRange rows, std::byte* out)> fill;
};

// The frame at `path` with the chosen rows, then what is added, in order. Categories that the chosen rows do not use go away, as in
// anndata; those of obs and var (`notes_categories`) are noted in the context. Throws what reading a damaged column throws.
void copy_frame(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name, const Selection& rows,
                std::span<const NewColumn> added, bool notes_categories);

// A new column of `n_rows` values. Claims a piece of it.
void write_column(const NewColumn& column, std::int64_t n_rows, const OutputGroup& to, MemoryBudget& budget);

// One column, or a list in uns, in whatever form it is.
void copy_column(CarryContext& context, const ColumnPlace& place, const std::string& name, const OutputGroup& to, const Selection& rows,
                 bool notes_categories);

}  // namespace quern::io
