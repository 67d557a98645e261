#include "io/carry/selection.hpp"

#include <algorithm>
#include <cstring>

namespace quern::io {

Selection Selection::of(std::vector<RowRange> kept) {
  Selection selection;
  selection.all_ = false;
  selection.kept_ = std::move(kept);
  for (const RowRange& range : selection.kept_) selection.n_kept_ += range.size();
  return selection;
}

Selection Selection::of_flags(std::span<const std::uint8_t> flags) {
  std::vector<RowRange> kept;
  const auto size = static_cast<std::int64_t>(flags.size());
  for (std::int64_t i = 0; i < size; ++i) {
    if (flags[static_cast<std::size_t>(i)] == 0) continue;
    if (!kept.empty() && kept.back().last == i)
      ++kept.back().last;
    else
      kept.push_back({i, i + 1});
  }
  return of(std::move(kept));
}

std::vector<RowRange> Selection::ranges(std::int64_t size) const {
  if (!all_) return kept_;
  return size > 0 ? std::vector<RowRange>{{0, size}} : std::vector<RowRange>{};
}

std::vector<std::int32_t> Selection::new_numbers(std::int64_t size) const {
  std::vector<std::int32_t> numbers;
  if (keeps_all_of(size)) return numbers;
  numbers.assign(static_cast<std::size_t>(size), -1);
  std::int32_t next = 0;
  for (const RowRange& range : kept_)
    for (std::int64_t i = range.first; i < range.last; ++i) numbers[static_cast<std::size_t>(i)] = next++;
  return numbers;
}

std::int64_t SelectedBatch::n_kept() const {
  std::int64_t n = 0;
  for (const RowRange& range : kept) n += range.size();
  return n;
}

SelectedBatch SelectedBatch::within(RowRange part) const {
  SelectedBatch result{part, {}};
  for (const RowRange& range : kept)
    if (const RowRange both{std::max(range.first, part.first), std::min(range.last, part.last)}; both.size() > 0)
      result.kept.push_back(both);
  return result;
}

SelectedBatches::SelectedBatches(const Selection& selection, std::int64_t size, std::int64_t most)
    : ranges_(selection.ranges(size)), most_(std::max<std::int64_t>(most, 1)) {
  if (!ranges_.empty()) at_ = ranges_.front().first;
}

bool SelectedBatches::next(SelectedBatch& batch) {
  batch.kept.clear();
  if (range_ == ranges_.size()) return false;
  const std::int64_t first = at_, end = first + most_;
  while (range_ < ranges_.size() && std::max(at_, ranges_[range_].first) < end) {
    const RowRange& range = ranges_[range_];
    const RowRange part{std::max(at_, range.first), std::min(end, range.last)};
    batch.kept.push_back(part);
    at_ = part.last;
    if (part.last == range.last) ++range_;
  }
  batch.read = {first, batch.kept.back().last};
  if (range_ < ranges_.size()) at_ = std::max(at_, ranges_[range_].first);
  return true;
}

void keep_rows(std::span<std::byte> rows, std::size_t row_bytes, const SelectedBatch& batch) {
  std::size_t to = 0;
  for (const RowRange& range : batch.kept) {
    const auto from = static_cast<std::size_t>(range.first - batch.read.first) * row_bytes;
    const auto bytes = static_cast<std::size_t>(range.size()) * row_bytes;
    if (from != to) std::memmove(rows.data() + to, rows.data() + from, bytes);
    to += bytes;
  }
}

}  // namespace quern::io
