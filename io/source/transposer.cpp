#include "io/source/transposer.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

template <class V>
struct __attribute__((packed)) Record {
  std::uint32_t row, column;
  V value;
};

}  // namespace

Transposer::Transposer(std::int64_t n_rows, std::string object, std::string tmp_dir, MemoryBudget& budget)
    : object_(std::move(object)), tmp_dir_(std::move(tmp_dir)), budget_(budget), n_rows_(n_rows) {
  pointers_claim_ = budget.claim("row pointers", (static_cast<std::size_t>(n_rows) + 2) * sizeof(std::int64_t));
}

std::size_t Transposer::spill_bytes(std::int64_t nnz, std::int64_t max_row_nnz, ValueType type, std::size_t left) {
  constexpr std::size_t most = std::size_t{64} << 20;
  const std::size_t grouped = 3 * sizeof(std::uint32_t) + 2 * size_of(type);  // a record and the entry made of it
  const auto all = static_cast<std::size_t>(std::min(nnz, std::int64_t{1} << 48)) * grouped;
  const auto longest_row = static_cast<std::size_t>(std::min(max_row_nnz, nnz)) * grouped;
  const auto buffers = static_cast<std::size_t>(128 * std::sqrt(static_cast<double>(nnz)));  // as many as there will be buckets
  const std::size_t least = std::min(std::max(longest_row, buffers), all) + 4096;
  return std::clamp(left / 2, least, std::max(least, std::min(most, all)));
}

void Transposer::begin_counting() {
  drop();
  pointers_.assign(static_cast<std::size_t>(n_rows_) + 2, 0);
}

void Transposer::end_counting() {
  for (std::size_t i = 2; i < pointers_.size(); ++i) pointers_[i] += pointers_[i - 1];
  n_counted_ = pointers_.back();
}

void Transposer::drop() {
  if (placed_) std::copy_backward(pointers_.begin(), pointers_.end() - 1, pointers_.end());
  if (placed_) pointers_.front() = 0;
  placed_ = false;
  entries_ = {};
  file_.reset();
  buckets_.clear();
}

void Transposer::begin_placing(ValueType type, std::span<std::byte> spill, std::size_t spare_bytes) {
  drop();
  type_ = type;
  n_placed_ = 0;
  const std::size_t needed = kept_bytes(n_counted_, type);
  in_memory_ = needed + spare_bytes <= budget_.available();
  if (in_memory_) {
    entries_ = HostBlock(pageable_memory(), budget_.claim("matrix turned to rows", needed));
    values_ = entries_.data();
    columns_ = reinterpret_cast<std::uint32_t*>(entries_.data() + static_cast<std::size_t>(n_counted_) * size_of(type_));
    return;
  }
  spill_ = spill;
  file_ = std::make_unique<TemporaryFile>(tmp_dir_, n_counted_ * static_cast<std::int64_t>(record_bytes()));
  cut_buckets();
}

void Transposer::cut_buckets() {
  const auto capacity = static_cast<std::int64_t>(spill_.size() / (record_bytes() + entry_bytes()));
  const auto rows = row_pointers();
  for (std::int64_t row = 0; row < n_rows_; ++row) {
    const std::int64_t begin = rows[static_cast<std::size_t>(row)], n = rows[static_cast<std::size_t>(row) + 1] - begin;
    if (n > capacity)
      throw resource_error("row-too-large", object_, "row " + std::to_string(row) + " has " + std::to_string(n) + " entries",
                           "give more --memory");
    if (buckets_.empty() || buckets_.back().n_entries + n > capacity) buckets_.push_back({row, begin, 0, 0, 0});
    buckets_.back().n_entries += n;
  }
  buffer_records_ = buckets_.empty() ? 0 : spill_.size() / buckets_.size() / record_bytes();
  if (!buckets_.empty() && buffer_records_ == 0)
    throw resource_error("over-budget", object_, "sorting " + std::to_string(n_counted_) + " entries needs more room",
                         "give more --memory");
  last_bucket_ = 0;
}

std::size_t Transposer::bucket_of(std::int64_t row) const {
  const auto after =
      std::upper_bound(buckets_.begin(), buckets_.end(), row, [](std::int64_t r, const Bucket& b) { return r < b.first_row; });
  return static_cast<std::size_t>(after - buckets_.begin()) - 1;
}

void Transposer::spill_entry(std::uint32_t row, std::uint32_t column, double value) {
  const bool in_last =
      buckets_[last_bucket_].first_row <= row && (last_bucket_ + 1 == buckets_.size() || row < buckets_[last_bucket_ + 1].first_row);
  if (!in_last) last_bucket_ = bucket_of(row);
  Bucket& bucket = buckets_[last_bucket_];
  std::byte* to = spill_.data() + (last_bucket_ * buffer_records_ + bucket.n_buffered++) * record_bytes();
  if (type_ == ValueType::f32) {
    const Record<float> record{row, column, static_cast<float>(value)};
    std::memcpy(to, &record, sizeof record);
  } else {
    const Record<double> record{row, column, value};
    std::memcpy(to, &record, sizeof record);
  }
  if (bucket.n_buffered == buffer_records_) flush(last_bucket_);
}

void Transposer::flush(std::size_t number) {
  Bucket& bucket = buckets_[number];
  if (bucket.n_written + static_cast<std::int64_t>(bucket.n_buffered) > bucket.n_entries) throw_changed();
  const auto offset = (bucket.first_entry + bucket.n_written) * static_cast<std::int64_t>(record_bytes());
  file_->write(offset, spill_.subspan(number * buffer_records_ * record_bytes(), bucket.n_buffered * record_bytes()));
  bucket.n_written += static_cast<std::int64_t>(bucket.n_buffered);
  bucket.n_buffered = 0;
}

void Transposer::end_placing() {
  if (n_placed_ != n_counted_) throw_changed();
  for (std::size_t b = 0; b < buckets_.size(); ++b) flush(b);
  for (const Bucket& bucket : buckets_) {  // all are full: none has more than it should, and together they have what was counted
    if (type_ == ValueType::f32)
      group_bucket<float>(bucket);
    else
      group_bucket<double>(bucket);
  }
  placed_ = true;
}

// Counting sort by row: records in, columns and values out, in the same place of the file.
template <class V>
void Transposer::group_bucket(const Bucket& bucket) {
  const auto n = static_cast<std::size_t>(bucket.n_entries);
  if (n == 0) return;
  const auto base = static_cast<std::size_t>(bucket.first_entry);
  const auto* records = reinterpret_cast<const Record<V>*>(spill_.data());
  std::byte* columns = spill_.data() + n * sizeof(Record<V>);
  std::byte* values = columns + n * sizeof(std::uint32_t);
  const std::int64_t offset = bucket.first_entry * static_cast<std::int64_t>(sizeof(Record<V>));
  file_->read(offset, spill_.first(n * sizeof(Record<V>)));
  for (std::size_t i = 0; i < n; ++i) {
    const Record<V> record = records[i];
    const std::size_t at = static_cast<std::size_t>(pointers_[std::size_t{record.row} + 1]++) - base;
    if (at >= n) throw_changed();
    std::memcpy(columns + at * sizeof(std::uint32_t), &record.column, sizeof(std::uint32_t));
    std::memcpy(values + at * sizeof(V), &record.value, sizeof(V));
  }
  file_->write(offset, {columns, n * entry_bytes()});
}

void Transposer::read(ChunkBuffer& slot) const {
  const auto rows = row_pointers();
  const std::int64_t first = rows[static_cast<std::size_t>(slot.rows.first)], last = rows[static_cast<std::size_t>(slot.rows.last)];
  for (std::int64_t r = 0; r <= slot.rows.size(); ++r)
    slot.offsets[r] = static_cast<std::int32_t>(rows[static_cast<std::size_t>(slot.rows.first + r)] - first);
  if (!in_memory_) return read_spilled(slot.rows, slot.columns, slot.values);
  const auto n = static_cast<std::size_t>(last - first), at = static_cast<std::size_t>(first);
  if (n == 0) return;
  std::memcpy(slot.columns, columns_ + at, n * sizeof(std::uint32_t));
  std::memcpy(slot.values, values_ + at * size_of(type_), n * size_of(type_));
}

void Transposer::read_spilled(RowRange rows, std::uint32_t* columns, std::byte* values) const {
  const auto pointers = row_pointers();
  std::int64_t entry = pointers[static_cast<std::size_t>(rows.first)];
  const std::int64_t last = pointers[static_cast<std::size_t>(rows.last)];
  for (std::size_t b = bucket_of(rows.first); entry < last; ++b) {
    const Bucket& bucket = buckets_[b];
    const auto n = static_cast<std::size_t>(std::min(last, bucket.first_entry + bucket.n_entries) - entry);
    const std::int64_t place = bucket.first_entry * static_cast<std::int64_t>(record_bytes()), skipped = entry - bucket.first_entry;
    const auto column_bytes = static_cast<std::int64_t>(sizeof(std::uint32_t)), value_bytes = static_cast<std::int64_t>(size_of(type_));
    file_->read(place + skipped * column_bytes, {reinterpret_cast<std::byte*>(columns), n * sizeof(std::uint32_t)});
    file_->read(place + bucket.n_entries * column_bytes + skipped * value_bytes, {values, n * size_of(type_)});
    columns += n;
    values += n * size_of(type_);
    entry += static_cast<std::int64_t>(n);
  }
}

void Transposer::throw_changed() const {
  throw input_error("changed", object_, "the file changed while it was read", "let nobody write to it and try again");
}

}  // namespace quern::io
