#include "io/source/entry_walk.hpp"

#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>

#include "host/core/error.hpp"
#include "host/core/memory.hpp"
#include "io/decode/convert.hpp"
#include "io/source/canonical_rows.hpp"
#include "io/source/element_stream_types.hpp"
#include "io/source/element_writers.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t most_entries = 1 << 18, least_entries = 1 << 12;

std::span<std::byte> take(std::span<std::byte>& from, std::size_t bytes) {
  const auto part = from.first(bytes);
  from = from.subspan(std::min(from.size(), aligned(bytes)));
  return part;
}

}  // namespace

struct EntryWalk::Slot {
  std::int64_t first = 0;
  std::size_t n = 0;
  std::span<std::byte> index_memory, value_memory, index_staging, value_staging;
  std::unique_ptr<ElementStream::Pending> indices, values;
};

EntryWalk::EntryWalk(const MatrixInput& input, std::int64_t used)
    : path_(input.matrix.indices.path),
      used_(used),
      n_rows_(input.matrix.rows),
      threads_(std::max(1, input.threads)),
      stop_(input.stop),
      indices_(RawDataset(input.file, input.matrix.indices.path), input.path, used),
      values_(RawDataset(input.file, input.matrix.data.path), input.path, used) {
  if (indices_.dataset().type().kind == StoredKind::real) throw input_error("bad-type", path_, "holds reals, expected integers");
}

ValueType EntryWalk::natural_value_type() const { return quern::io::natural_value_type(values_.dataset().type()); }

std::size_t EntryWalk::plan(ValueType type, std::size_t left) {
  std::int64_t batch = most_entries;
  std::size_t bytes = plan_batches(type, batch, left);
  while (bytes > left && batch > least_entries) bytes = plan_batches(type, batch /= 2, left);
  return bytes;
}

std::size_t EntryWalk::plan_batches(ValueType type, std::int64_t batch, std::size_t left) {
  batch_ = batch;
  const int n_slots = threads_ + 1;
  indices_.begin_plan(n_slots, batch, left);
  values_.begin_plan(n_slots, batch, left);
  for (std::int64_t first = 0; first < used_; first += batch) {
    const ElementStream::Range range{first, std::min(used_, first + batch)};
    indices_.plan_range(range);
    values_.plan_range(range);
  }
  for_indices_ = indices_.end_plan();
  for_values_ = values_.end_plan();
  const auto n = static_cast<std::size_t>(batch);
  const std::size_t slot = aligned(n * sizeof(std::uint32_t)) + aligned(n * size_of(type)) + aligned(for_indices_.staging_bytes) +
                           aligned(for_values_.staging_bytes) + for_indices_.pending_bytes + for_values_.pending_bytes;
  return static_cast<std::size_t>(n_slots) * slot + aligned(for_indices_.shared_bytes) + aligned(for_values_.shared_bytes);
}

void EntryWalk::walk(ValueType type, bool with_values, std::span<std::byte> workspace, const Visit& visit) {
  indices_.start(take(workspace, for_indices_.shared_bytes));
  values_.start(take(workspace, for_values_.shared_bytes));
  const auto n = static_cast<std::size_t>(batch_);
  std::vector<Slot> slots(static_cast<std::size_t>(threads_) + 1);
  std::vector<Slot*> free;
  for (Slot& slot : slots) {
    slot.index_memory = take(workspace, n * sizeof(std::uint32_t));
    slot.value_memory = take(workspace, n * size_of(type));
    slot.index_staging = take(workspace, for_indices_.staging_bytes);
    slot.value_staging = take(workspace, for_values_.staging_bytes);
    slot.indices = indices_.make_pending();
    if (with_values) slot.values = values_.make_pending();
    free.push_back(&slot);
  }
  std::mutex mutex;  // of `free`: the first and the last stage run at the same time
  std::int64_t next = 0;
  tbb::task_arena(threads_).execute([&] {
    tbb::parallel_pipeline(slots.size(),
                           tbb::make_filter<void, Slot*>(tbb::filter_mode::serial_in_order, [&](tbb::flow_control& flow) -> Slot* {
                             Slot* slot = nullptr;
                             {
                               const std::scoped_lock lock(mutex);
                               slot = free.back();
                               free.pop_back();
                             }
                             if (!fetch(*slot, with_values, next)) flow.stop();
                             return slot;
                           }) & tbb::make_filter<Slot*, Slot*>(tbb::filter_mode::parallel, [&](Slot* slot) {
                             decode(*slot, type, with_values);
                             return slot;
                           }) & tbb::make_filter<Slot*, void>(tbb::filter_mode::serial_in_order, [&](Slot* slot) {
                             visit({slot->first, slot->n, reinterpret_cast<const std::uint32_t*>(slot->index_memory.data()),
                                    with_values ? slot->value_memory.data() : nullptr});
                             const std::scoped_lock lock(mutex);
                             free.push_back(slot);
                           }));
  });
}

bool EntryWalk::fetch(Slot& slot, bool with_values, std::int64_t& next) {
  if (stop_ && stop_->load(std::memory_order_relaxed)) throw Interrupted();
  if (next == used_) return false;
  const ElementStream::Range range{next, std::min(used_, next + batch_)};
  slot.first = next;
  slot.n = static_cast<std::size_t>(range.last - range.first);
  next = range.last;
  indices_.fetch(range, *slot.indices, slot.index_staging);
  if (with_values) values_.fetch(range, *slot.values, slot.value_staging);
  return true;
}

void EntryWalk::decode(Slot& slot, ValueType type, bool with_values) {
  auto* indices = reinterpret_cast<std::uint32_t*>(slot.index_memory.data());
  ColumnWriter index_writer(indices_.dataset().type(), indices);
  indices_.decode(*slot.indices, slot.index_staging, index_writer);
  if (const std::int32_t bad = find_bad_column(indices, static_cast<std::int32_t>(slot.n), n_rows_); bad >= 0)
    throw input_error(
        "bad-index", path_,
        "entry " + std::to_string(slot.first + bad) + " is negative or not below the number of rows, " + std::to_string(n_rows_),
        "the file is damaged or its shape is wrong");
  if (!with_values) return;
  ValueWriter value_writer(values_.dataset(), type, slot.value_memory.data());
  values_.decode(*slot.values, slot.value_staging, value_writer);
}

}  // namespace quern::io
