// Where the rows of `quern show` go.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json_report.hpp"
#include "host/core/memory.hpp"

namespace quern::cli {

// A header, then rows of as many fields. The first field is the row's name.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // `kinds` of the fields but the first, as io::ColumnInfo::kind.
  virtual void begin(const std::vector<std::string>& header, const std::vector<std::string>& kinds) = 0;
  virtual void row(const std::vector<std::string>& fields) = 0;
  virtual void gap() = 0;  // rows are left out here
  virtual void end() {}
};

using WriteText = std::function<void(std::string_view)>;

// What stands in a field where rows or columns are left out.
extern const char* const left_out;

std::unique_ptr<RowSink> make_tsv_sink(WriteText write);
// Columns under one another, for a terminal; holds all rows until the end.
std::unique_ptr<RowSink> make_aligned_sink(WriteText write);
// result.columns, result.rows (names), result.values (one list a row); with `triplets` result.entries instead. Claims what it holds.
std::unique_ptr<RowSink> make_json_sink(Json& result, bool triplets, MemoryBudget& budget);
// A field as a JSON value of its kind; missing ones, NaN and infinities are null.
Json json_field(const std::string& text, const std::string& kind);

}  // namespace quern::cli
