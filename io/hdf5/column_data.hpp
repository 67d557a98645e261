// One list of values, a 1-D dataset or a field of a 1-D compound one, read in ranges as text or as integers.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/hdf5/heap_strings.hpp"

namespace quern::io {

// Touches HDF5 in every call. Memory: one range at a time, and one decoded chunk of at most 32 MiB.
class ColumnData {
 public:
  ColumnData(const Hdf5File& file, const std::string& path, const std::string& field = {});
  ColumnData(const Hdf5File& file, Dataset dataset) : ColumnData(file, std::move(dataset), std::string()) {}

  const ElementType& element() const { return element_; }
  const std::string& where() const { return where_; }
  std::int64_t size() const { return size_; }
  bool uses_hdf5() const { return heap_strings_ == nullptr; }  // to read text
  // Strings as they are, integers in decimal, booleans True and False, floats as Python's repr. More text than is read at once:
  // resource_error("text-too-long").
  void read_text(RowRange range, std::vector<std::string>& out);
  // input_error("bad-type") when the values are no integers or booleans. Unsigned 64-bit values wrap.
  void read_integers(RowRange range, std::vector<std::int64_t>& out);

 private:
  ColumnData(const Hdf5File& file, Dataset dataset, const std::string& field);
  void check_range(RowRange range) const;
  void read(RowRange range, hid_t memory_type, void* to, hid_t transfer);
  void read_bytes(RowRange range, std::vector<char>& bytes);
  void read_strings(RowRange range, std::vector<std::string>& out);

  Dataset dataset_;
  TypeHandle value_type_;
  ElementType element_;
  std::unique_ptr<HeapStrings> heap_strings_;  // where the strings can be read without HDF5
  std::string field_, where_;
  std::int64_t size_ = 0;
};

// Text that stays in memory.
struct KeptText {
  std::vector<std::string> texts;
  std::vector<Claim> claims;
};
// The first `at_most` values; claimed from the budget where there is one.
KeptText read_whole_column(std::unique_ptr<NameSource> column, std::int64_t at_most, MemoryBudget* budget);

}  // namespace quern::io
