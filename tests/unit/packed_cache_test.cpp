// What later passes see through a packed cache is what the source gave, whatever fits.
#include "host/pipeline/packed_cache.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <random>

#include "host/core/error.hpp"
#include "host/pipeline/chunk_walk.hpp"
#include "tests/support/memory_source.hpp"

namespace quern {
namespace {

using test::Entry;
using test::MemorySource;
using test::Rows;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// All rows of a pass, with the bits of the values.
class Collect final : public ChunkWork {
 public:
  explicit Collect(ValueType type) : type_(type) {}
  void compute(ChunkSlot&) override {}
  void hand_on(ChunkSlot& slot) override {
    const ChunkBuffer& chunk = slot.chunk;
    EXPECT_EQ(chunk.rows.first, next_row) << "rows out of order";
    EXPECT_EQ(chunk.sequence, n_chunks++);
    EXPECT_EQ(chunk.offsets[0], 0);
    next_row = chunk.rows.last;
    for (std::int64_t r = 0; r < chunk.rows.size(); ++r) {
      row_sizes.push_back(chunk.offsets[r + 1] - chunk.offsets[r]);
      for (std::int32_t i = chunk.offsets[r]; i < chunk.offsets[r + 1]; ++i) add(chunk, i);
    }
    rearranged = rearranged || chunk.rearranged;
  }
  std::int64_t next_row = 0, n_chunks = 0;
  std::vector<std::int32_t> row_sizes;
  std::vector<std::uint32_t> columns;
  std::vector<std::uint64_t> bits;
  bool rearranged = false;

 private:
  void add(const ChunkBuffer& chunk, std::int32_t i) {
    columns.push_back(chunk.columns[i]);
    const double value = type_ == ValueType::f32 ? static_cast<double>(chunk.values_as<float>()[i]) : chunk.values_as<double>()[i];
    bits.push_back(std::bit_cast<std::uint64_t>(value));
  }
  ValueType type_;
};

// Counts what it decodes; can begin at any row if told so; may call rows rearranged.
class WatchedSource final : public ChunkSource {
 public:
  WatchedSource(const Rows& rows, std::int64_t n_cols, bool begins_anywhere, ValueType natural = ValueType::f32)
      : whole_(rows, n_cols, natural), rows_(rows), n_cols_(n_cols), begins_anywhere_(begins_anywhere), natural_(natural) {}
  MatrixShape shape() const override { return whole_.shape(); }
  ValueType natural_value_type() const override { return natural_; }
  SourcePlan plan(const ChunkTargets& targets) override {
    first_row_ = begins_anywhere_ ? targets.first_row : 0;
    rest_ = std::make_unique<MemorySource>(Rows(rows_.begin() + first_row_, rows_.end()), n_cols_, natural_);
    SourcePlan plan = rest_->plan(targets);
    plan.first_row = first_row_;
    return plan;
  }
  void start(std::span<std::byte> shared) override {
    rest_->start(shared);
    sequence_ = 0;
  }
  bool fetch(ChunkBuffer& slot) override {
    slot.sequence = sequence_++;
    return rest_->fetch(slot) && shift(slot, first_row_);
  }
  void decode(ChunkBuffer& slot) override {
    shift(slot, -first_row_);
    rest_->decode(slot);
    shift(slot, first_row_);
    slot.rearranged = slot.rows.first == 0;
    rows_decoded += slot.rows.size();
  }
  std::int64_t bytes_read() const override { return rows_decoded; }
  std::atomic<std::int64_t> rows_decoded = 0;

 private:
  static bool shift(ChunkBuffer& slot, std::int64_t by) {
    slot.rows = {slot.rows.first + by, slot.rows.last + by};
    return true;
  }
  MemorySource whole_;
  Rows rows_;
  std::int64_t n_cols_;
  bool begins_anywhere_;
  ValueType natural_;
  std::unique_ptr<MemorySource> rest_;
  std::int64_t first_row_ = 0, sequence_ = 0;
};

Rows random_rows(std::size_t n_rows, std::int64_t n_cols, double most, bool fractions) {
  std::mt19937_64 random(7);
  Rows rows(n_rows);
  for (auto& row : rows)
    for (std::int64_t column = static_cast<std::int64_t>(random() % 5); column < n_cols;
         column += 1 + static_cast<std::int64_t>(random() % 97))
      row.push_back(
          {static_cast<std::uint32_t>(column), (fractions ? 0.25 : 0) + static_cast<double>(random() % static_cast<std::uint64_t>(most))});
  return rows;
}

struct Pass {
  std::int64_t chunk_nnz = 0;
  ValueType type = ValueType::f32;
};

Collect walk(ChunkSource& source, const Pass& pass, MemoryBudget& budget, int threads = 3) {
  PipelineOptions options;
  options.threads = threads;
  options.chunk_nnz = pass.chunk_nnz;
  options.poison = true;
  Collect all(pass.type);
  walk_chunks(source, pass.type, all, pageable_memory(), budget, options);
  return all;
}

void expect_same(const Collect& a, const Collect& b) {
  EXPECT_EQ(a.row_sizes, b.row_sizes);
  EXPECT_EQ(a.columns, b.columns);
  EXPECT_EQ(a.bits, b.bits);
}

// A first pass through a cache with this much room, then more of them; all see what the source alone gives.
std::int64_t rows_decoded_again(const Rows& rows, std::int64_t n_cols, std::size_t most_bytes, bool begins_anywhere = true) {
  MemoryBudget budget(64 * mebibyte);
  auto source = std::make_unique<WatchedSource>(rows, n_cols, begins_anywhere);
  WatchedSource& watched = *source;
  const Collect expected = walk(*source, {1000}, budget);
  const std::int64_t once = watched.rows_decoded;
  EXPECT_EQ(once, static_cast<std::int64_t>(rows.size()));
  PackedCache cache(std::move(source), budget, most_bytes);
  expect_same(walk(cache, {1000}, budget), expected);
  EXPECT_LE(cache.bytes_kept(), most_bytes);
  const std::int64_t before = watched.rows_decoded;
  EXPECT_EQ(before, 2 * once);
  for (const Pass& pass : {Pass{1000}, Pass{100000}, Pass{1}, Pass{5000, ValueType::f64}, Pass{777}})
    expect_same(walk(cache, pass, budget), expected);
  return (watched.rows_decoded - before) / 5;
}

TEST(PackedCache, KeepsAllThatFitsAndDecodesItOnce) {
  EXPECT_EQ(rows_decoded_again(random_rows(400, 3000, 20, false), 3000, mebibyte), 0);    // counts
  EXPECT_EQ(rows_decoded_again(random_rows(400, 3000, 1000, false), 3000, mebibyte), 0);  // many beyond one byte
  EXPECT_EQ(rows_decoded_again(random_rows(400, 3000, 300, false), 3000, mebibyte), 0);   // some
  EXPECT_EQ(rows_decoded_again(random_rows(400, 3000, 20, true), 3000, mebibyte), 0);
  EXPECT_EQ(rows_decoded_again(random_rows(100, 70000, 20, false), 70000, mebibyte), 0);  // columns beyond 16 bits
  EXPECT_EQ(rows_decoded_again(random_rows(100, 65536, 20, false), 65536, mebibyte), 0);  // the last that fit
}

TEST(PackedCache, WhatDoesNotFitIsDecodedAgain) {
  const Rows rows = random_rows(400, 3000, 20, false);
  const std::int64_t again = rows_decoded_again(rows, 3000, 40000);
  EXPECT_GT(again, 0);
  EXPECT_LT(again, 400);
  EXPECT_EQ(rows_decoded_again(rows, 3000, 0), 400);
  EXPECT_EQ(rows_decoded_again(rows, 3000, 40000, false), 400);  // and all of it where the source begins at 0 alone
  EXPECT_EQ(rows_decoded_again(rows, 3000, mebibyte, false), 0);
}

TEST(PackedCache, TakesNoMoreThanTheBudgetHasLeft) {
  const Rows rows = random_rows(400, 3000, 20, false);
  MemoryBudget budget(4 * mebibyte);
  PackedCache cache(std::make_unique<WatchedSource>(rows, 3000, true), budget, 64 * mebibyte);
  MemoryBudget alone(4 * mebibyte);
  MemorySource source(rows, 3000);
  {
    const Claim taken = budget.claim("others", 4 * mebibyte - 100000);
    expect_same(walk(cache, {1000}, budget, 1), walk(source, {1000}, alone));
    EXPECT_LE(cache.bytes_kept(), std::size_t{100000});
  }
  expect_same(walk(cache, {1000}, budget), walk(source, {1000}, alone));
  EXPECT_GT(cache.rows_kept(), 0);
  EXPECT_LT(cache.rows_kept(), 400);
  EXPECT_EQ(budget.limit() - budget.available(), cache.bytes_kept());
}

TEST(PackedCache, GivesBackEveryBit) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const Rows rows{{{0, 0.0}, {1, -0.0}, {2, 254.0}, {3, 255.0}, {4, 256.0}, {5, -1.0}},
                  {},
                  {{0, nan}, {1, infinity}, {2, -infinity}, {3, 1e-40}, {4, 2.5}, {9, 1.0}},
                  {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}, {5, 6}, {6, 7}, {7, 8}, {8, 9}, {9, 300}}};
  EXPECT_EQ(rows_decoded_again(rows, 10, mebibyte), 0);
  EXPECT_EQ(rows_decoded_again({}, 10, mebibyte), 0);
  EXPECT_EQ(rows_decoded_again(Rows(5), 10, mebibyte), 0);
}

TEST(PackedCache, SaysWhatWasRearrangedAndWhatTheValuesAreLike) {
  const Rows rows{{{0, 1.0}}, {{1, -2.5}}, {{2, 0.0}}};
  MemoryBudget budget(4 * mebibyte);
  PackedCache cache(std::make_unique<WatchedSource>(rows, 3, true), budget, mebibyte);
  for (int pass = 0; pass < 2; ++pass) {
    PipelineOptions options;
    options.chunk_nnz = 1;
    Collect all(ValueType::f32);
    const RunReport report = walk_chunks(cache, ValueType::f32, all, pageable_memory(), budget, options);
    EXPECT_TRUE(all.rearranged);
    EXPECT_FALSE(report.facts.whole);
    EXPECT_TRUE(report.facts.has_negative && report.facts.has_zero);
    EXPECT_EQ(report.facts.max_abs, 2.5);
    EXPECT_EQ(report.nnz, 3);
    EXPECT_EQ(report.chunks, 3);
  }
}

TEST(PackedCache, WhatFloatsCannotHoldIsRefusedAgain) {
  const Rows rows{{{0, 1.0}, {1, 300.5}, {2, 16777217.0}}};
  MemoryBudget budget(4 * mebibyte);
  PackedCache cache(std::make_unique<WatchedSource>(rows, 3, true, ValueType::f64), budget, mebibyte);
  const Collect wide = walk(cache, {100, ValueType::f64}, budget);
  EXPECT_THROW(walk(cache, {100, ValueType::f32}, budget), NeedsWiderValues);
  expect_same(walk(cache, {100, ValueType::f64}, budget), wide);
  EXPECT_EQ(cache.rows_kept(), 1);
}

// The pass is broken off in the middle: what was kept by then is right, and the next pass keeps the rest.
TEST(PackedCache, GoesOnAfterAPassThatWasBrokenOff) {
  Rows rows = random_rows(300, 1000, 20, false);
  rows[200].push_back({999, 16777217.0});
  MemoryBudget budget(16 * mebibyte);
  PackedCache cache(std::make_unique<WatchedSource>(rows, 1000, true), budget, 4 * mebibyte);
  EXPECT_THROW(walk(cache, {200}, budget), NeedsWiderValues);
  MemorySource source(rows, 1000);
  for (int pass = 0; pass < 3; ++pass) expect_same(walk(cache, {200, ValueType::f64}, budget), walk(source, {200, ValueType::f64}, budget));
  EXPECT_EQ(cache.rows_kept(), 300);
}

}  // namespace
}  // namespace quern
