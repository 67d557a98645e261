// Groups entries that arrive in any order by row, within the budget: in memory where they fit, else through a temporary file.
// Three steps: count every entry, place every entry (in the same or another order), read rows.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/temporary_file.hpp"

namespace quern::io {

class Transposer {
 public:
  // `object` names the matrix in messages. Claims the row pointers.
  Transposer(std::int64_t n_rows, std::string object, std::string tmp_dir, MemoryBudget& budget);

  // Bytes for `spill` below when no row has more than max_row_nnz of the nnz entries: a good part of `left`, but never less than what is
  // needed and not more than is of use.
  static std::size_t spill_bytes(std::int64_t nnz, std::int64_t max_row_nnz, ValueType type, std::size_t left);

  // Bytes of the entries where they are kept in memory.
  static std::size_t kept_bytes(std::int64_t nnz, ValueType type) {
    return static_cast<std::size_t>(nnz) * (sizeof(std::uint32_t) + size_of(type));
  }

  void begin_counting();
  void count(std::uint32_t row) { ++pointers_[std::size_t{row} + 2]; }  // row < n_rows
  void end_counting();

  // Entries are kept in memory when that leaves `spare_bytes` of the budget, else they go through the file with `spill` to work in.
  void begin_placing(ValueType type, std::span<std::byte> spill, std::size_t spare_bytes);
  template <class V>  // of the type given
  void place(std::uint32_t row, std::uint32_t column, V value) {
    ++n_placed_;
    if (!in_memory_) return spill_entry(row, column, static_cast<double>(value));
    const auto at = static_cast<std::size_t>(pointers_[std::size_t{row} + 1]++);
    if (at >= static_cast<std::size_t>(n_counted_)) throw_changed();
    columns_[at] = column;
    reinterpret_cast<V*>(values_)[at] = value;
  }
  void end_placing();

  bool holds(ValueType type) const { return placed_ && type == type_; }
  bool uses_file() const { return file_ != nullptr; }
  void drop();  // gives the entries' memory back

  // Where rows begin, n_rows + 1 numbers; after end_counting, but not between begin_placing and end_placing.
  std::span<const std::int64_t> row_pointers() const { return {pointers_.data() + (placed_ ? 0 : 1), pointers_.size() - 1}; }
  // Thread-safe, after end_placing: offsets, columns and values of slot.rows, each row in the order its entries were placed.
  void read(ChunkBuffer& slot) const;

 private:
  struct Bucket {  // whole rows, together in the file: first as records, then as columns followed by values
    std::int64_t first_row = 0, first_entry = 0, n_entries = 0, n_written = 0;
    std::size_t n_buffered = 0;
  };
  std::size_t record_bytes() const { return 2 * sizeof(std::uint32_t) + size_of(type_); }
  std::size_t entry_bytes() const { return sizeof(std::uint32_t) + size_of(type_); }
  void cut_buckets();
  void spill_entry(std::uint32_t row, std::uint32_t column, double value);
  void flush(std::size_t bucket);
  template <class V>
  void group_bucket(const Bucket& bucket);
  void read_spilled(RowRange rows, std::uint32_t* columns, std::byte* values) const;
  std::size_t bucket_of(std::int64_t row) const;
  [[noreturn]] void throw_changed() const;

  std::string object_, tmp_dir_;
  MemoryBudget& budget_;
  Claim pointers_claim_;
  // Placing advances a row's start to its end, which is the next row's start: one entry more than rows + 1, seen from the second
  // entry before placing and from the first after it.
  std::vector<std::int64_t> pointers_;
  std::int64_t n_rows_, n_counted_ = 0, n_placed_ = 0;
  ValueType type_ = ValueType::f32;
  bool placed_ = false, in_memory_ = false;

  HostBlock entries_;
  std::uint32_t* columns_ = nullptr;
  std::byte* values_ = nullptr;

  std::unique_ptr<TemporaryFile> file_;
  std::span<std::byte> spill_;
  std::vector<Bucket> buckets_;
  std::size_t buffer_records_ = 0, last_bucket_ = 0;
};

}  // namespace quern::io
