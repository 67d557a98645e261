// Which positions of an axis are kept, and how they are walked in bounded pieces.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/chunk_source.hpp"

namespace quern::io {

class Selection {
 public:
  Selection() = default;  // all of an axis, however long it is
  // `kept`: ascending, disjoint, none empty. 16 bytes a range.
  static Selection of(std::vector<RowRange> kept);
  // Those whose flag is not 0.
  static Selection of_flags(std::span<const std::uint8_t> flags);

  bool keeps_all() const { return all_; }
  bool keeps_all_of(std::int64_t size) const { return n_kept(size) == size; }
  std::int64_t n_kept(std::int64_t size) const { return all_ ? size : n_kept_; }
  // The ranges, for an axis of this size.
  std::vector<RowRange> ranges(std::int64_t size) const;
  std::size_t bytes() const { return kept_.size() * sizeof(RowRange); }
  // New number of every position, -1: left out; empty when all are kept.
  std::vector<std::int32_t> new_numbers(std::int64_t size) const;

 private:
  bool all_ = true;
  std::int64_t n_kept_ = 0;
  std::vector<RowRange> kept_;
};

// A piece of the axis that is read at once, and what of it is kept.
struct SelectedBatch {
  RowRange read;
  std::vector<RowRange> kept;  // within read
  std::int64_t n_kept() const;
  SelectedBatch within(RowRange part) const;  // a part of what is read
};

// Pieces in order, of at most `most` positions each; stretches of which nothing is kept are not read.
class SelectedBatches {
 public:
  SelectedBatches(const Selection& selection, std::int64_t size, std::int64_t most);
  bool next(SelectedBatch& batch);

 private:
  std::vector<RowRange> ranges_;
  std::size_t range_ = 0;
  std::int64_t most_, at_ = 0;
};

// Moves the kept rows of a batch that was read into `rows` to the front.
void keep_rows(std::span<std::byte> rows, std::size_t row_bytes, const SelectedBatch& batch);
template <class T>
void keep_values(std::vector<T>& values, const SelectedBatch& batch) {
  std::size_t to = 0;
  for (const RowRange& range : batch.kept)
    for (std::int64_t row = range.first; row < range.last; ++row, ++to) {
      const auto from = static_cast<std::size_t>(row - batch.read.first);
      if (from != to) values[to] = std::move(values[from]);
    }
  values.resize(to);
}

}  // namespace quern::io
