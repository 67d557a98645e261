#include "tests/support/walk_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace quern::test {
namespace {

constexpr auto guard = std::byte{0x5A};
constexpr std::size_t guard_bytes = 64;

// An array that knows whether somebody wrote past its end.
class Guarded {
 public:
  explicit Guarded(std::size_t bytes) : bytes_(bytes), block_(bytes + guard_bytes, guard) {}
  std::byte* data() { return block_.data(); }
  std::span<std::byte> span() { return {block_.data(), bytes_}; }
  bool intact() const {
    return std::all_of(block_.begin() + static_cast<std::ptrdiff_t>(bytes_), block_.end(), [](std::byte b) { return b == guard; });
  }

 private:
  std::size_t bytes_;
  std::vector<std::byte> block_;
};

struct Slot {
  Slot(const SlotShape& shape, ValueType type, const ChunkSource& source)
      : offsets(4 * (static_cast<std::size_t>(shape.max_rows) + 1)),
        columns(4 * static_cast<std::size_t>(shape.max_nnz)),
        values(size_of(type) * static_cast<std::size_t>(shape.max_nnz)),
        staging(shape.staging_bytes) {
    buffer.offsets = reinterpret_cast<std::int32_t*>(offsets.data());
    buffer.columns = reinterpret_cast<std::uint32_t*>(columns.data());
    buffer.values = values.data();
    buffer.staging = staging.span();
    buffer.value_type = type;
    buffer.pending = source.make_pending();
  }
  bool intact() const { return offsets.intact() && columns.intact() && values.intact() && staging.intact(); }
  Guarded offsets, columns, values, staging;
  ChunkBuffer buffer;
};

double value_at(const ChunkBuffer& chunk, std::int32_t i) {
  return chunk.value_type == ValueType::f32 ? static_cast<double>(chunk.values_as<float>()[i]) : chunk.values_as<double>()[i];
}

class Walker {
 public:
  Walker(ChunkSource& source, const Walk& how) : source_(source), how_(how) {
    result_.plan = source.plan({how.chunk_nnz, how.n_slots, how.budget_bytes, 16, how.value_type});
    shared_ = std::make_unique<Guarded>(result_.plan.shared_bytes);
    for (int i = 0; i < how.n_slots; ++i) slots_.push_back(std::make_unique<Slot>(result_.plan.slot, how.value_type, source));
  }

  Walked pass() {
    result_.rows.assign(static_cast<std::size_t>(source_.shape().n_rows), {});
    result_.facts = {};
    result_.n_chunks = next_row_ = 0;
    source_.start(shared_->span());
    if (how_.order == Order::threads)
      with_threads();
    else
      in_this_thread();
    EXPECT_EQ(next_row_, source_.shape().n_rows);
    if (how_.chunks_known) {
      EXPECT_EQ(result_.n_chunks, result_.plan.n_chunks);
    }
    EXPECT_TRUE(shared_->intact());
    for (const auto& slot : slots_) EXPECT_TRUE(slot->intact());
    return result_;
  }

 private:
  bool fetch(ChunkBuffer& chunk) {
    if (!source_.fetch(chunk)) return false;
    EXPECT_EQ(chunk.rows.first, next_row_);
    EXPECT_GT(chunk.rows.size(), 0);
    EXPECT_LE(chunk.rows.size(), result_.plan.slot.max_rows);
    EXPECT_EQ(chunk.sequence, result_.n_chunks);
    next_row_ = chunk.rows.last;
    ++result_.n_chunks;
    return true;
  }

  void in_this_thread() {
    const std::size_t at_once = how_.order == Order::backwards ? slots_.size() : 1;
    for (bool more = true; more;) {
      std::size_t n = 0;
      while (n < at_once && (more = fetch(slots_[n]->buffer))) ++n;
      for (std::size_t i = n; i-- > 0;) {
        source_.decode(slots_[i]->buffer);
        take(slots_[i]->buffer);
      }
    }
  }

  void with_threads() {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Slot*> fetched, free;
    bool ended = false;
    std::exception_ptr error;
    std::map<std::int64_t, Slot*> done;
    std::int64_t returned = 0;
    for (const auto& slot : slots_) free.push_back(slot.get());
    const auto work = [&] {
      std::unique_lock lock(mutex);
      for (;;) {
        changed.wait(lock, [&] { return ended || !fetched.empty(); });
        if (fetched.empty()) return;
        Slot* slot = fetched.front();
        fetched.pop_front();
        lock.unlock();
        std::exception_ptr mine;
        try {
          source_.decode(slot->buffer);
        } catch (...) {
          mine = std::current_exception();
        }
        lock.lock();
        if (mine)
          error = mine;
        else
          take(slot->buffer);
        // A slot goes back when all before it have: at most n_slots consecutive chunks are under way.
        done[slot->buffer.sequence] = slot;
        for (auto next = done.begin(); next != done.end() && (error || next->first == returned); next = done.erase(next), ++returned)
          free.push_front(next->second);
        changed.notify_all();
      }
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < slots_.size(); ++i) threads.emplace_back(work);
    try {
      for (;;) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return !free.empty(); });
        Slot* slot = free.front();
        free.pop_front();
        if (error) break;
        lock.unlock();
        if (!fetch(slot->buffer)) break;
        lock.lock();
        fetched.push_back(slot);
        changed.notify_all();
      }
    } catch (...) {
      const std::scoped_lock lock(mutex);
      error = std::current_exception();
    }
    {
      const std::scoped_lock lock(mutex);
      ended = true;
      changed.notify_all();
    }
    for (auto& thread : threads) thread.join();
    if (error) std::rethrow_exception(error);
  }

  void take(const ChunkBuffer& chunk) {
    result_.facts.merge(chunk.facts);
    EXPECT_EQ(chunk.offsets[0], 0);
    EXPECT_LE(chunk.offsets[chunk.rows.size()], result_.plan.slot.max_nnz);
    for (std::int64_t r = 0; r < chunk.rows.size(); ++r) {
      Row& row = result_.rows[static_cast<std::size_t>(chunk.rows.first + r)];
      for (std::int32_t i = chunk.offsets[r]; i < chunk.offsets[r + 1]; ++i) {
        EXPECT_LT(chunk.columns[i], source_.shape().n_cols);
        EXPECT_TRUE(row.empty() || row.back().first < chunk.columns[i]);
        row.emplace_back(chunk.columns[i], value_at(chunk, i));
      }
    }
  }

  ChunkSource& source_;
  Walk how_;
  Walked result_;
  std::unique_ptr<Guarded> shared_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::int64_t next_row_ = 0;
};

}  // namespace

Walked walk(ChunkSource& source, const Walk& how, int n_passes) {
  Walker walker(source, how);
  Walked first = walker.pass();
  for (int i = 1; i < n_passes; ++i) {
    const Walked again = walker.pass();
    EXPECT_EQ(again.rows.size(), first.rows.size());
    for (std::size_t r = 0; r < first.rows.size(); ++r)
      EXPECT_TRUE(std::equal(first.rows[r].begin(), first.rows[r].end(), again.rows[r].begin(), again.rows[r].end(),
                             [](const auto& a, const auto& b) { return a.first == b.first && std::memcmp(&a.second, &b.second, 8) == 0; }));
  }
  return first;
}

}  // namespace quern::test
