// Totals and normalised values on the CPU, and the walk that hands chunks on in order.
#include "host/cpu/value_mapping.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <random>

#include "host/core/error.hpp"
#include "host/pipeline/chunk_walk.hpp"
#include "tests/support/memory_source.hpp"

namespace quern {
namespace {

using test::MemorySource;
using test::Rows;

// Cells by 60 genes; `fraction` of the values are not whole.
Rows random_rows(unsigned seed, std::size_t n_rows, double fraction) {
  std::mt19937_64 random(seed);
  Rows rows(n_rows);
  for (auto& row : rows)
    for (std::uint32_t column = 0; column < 60; ++column) {
      if (random() % 3 != 0) continue;
      const auto count = static_cast<double>(random() % (random() % 10 == 0 ? 100000 : 4));
      const bool whole = std::uniform_real_distribution<>(0, 1)(random) >= fraction;
      row.push_back({column, whole ? count : static_cast<double>(static_cast<float>(count + 0.1))});
    }
  if (n_rows > 5) rows[5].clear();
  return rows;
}

struct Walked {
  std::vector<double> totals, left_out_totals, values;
  std::vector<std::uint8_t> dominant = std::vector<std::uint8_t>(60);
};

class Collect final : public ChunkWork {
 public:
  Collect(Walked& out, const ValueMap& map, ValueType type) : out_(out), map_(map), type_(type), left_out_(60) {
    left_out_[7] = 1;
    out_ = {};
  }
  void compute(ChunkSlot& slot) override {
    const auto chunk = view_of(slot.chunk, 60);
    auto* totals = &slot.packet.block.totals->real;
    std::vector<double> divisors(static_cast<std::size_t>(chunk.n_rows));
    row_totals(chunk, left_out_, divisors.data());
    slot.packet.text.assign(reinterpret_cast<const char*>(divisors.data()), divisors.size() * sizeof(double));
    row_totals(chunk, {}, totals);
    find_dominant_genes(chunk, totals, 0.9, out_.dominant);
    for (std::size_t r = 0; r < divisors.size(); ++r) divisors[r] = totals[r] == 0 ? 1 : totals[r] / 1e4;
    map_values(chunk, divisors.data(), map_, type_, slot.chunk.values);
  }
  void hand_on(ChunkSlot& slot) override {
    EXPECT_EQ(slot.chunk.rows.first, static_cast<std::int64_t>(out_.totals.size())) << "rows out of order";
    const auto n_rows = static_cast<std::size_t>(slot.chunk.rows.size());
    const auto* left = reinterpret_cast<const double*>(slot.packet.text.data());
    out_.left_out_totals.insert(out_.left_out_totals.end(), left, left + n_rows);
    for (std::size_t r = 0; r < n_rows; ++r) out_.totals.push_back(slot.packet.block.totals[r].real);
    for (std::int32_t i = 0; i < slot.chunk.offsets[n_rows]; ++i)
      out_.values.push_back(type_ == ValueType::f32 ? static_cast<double>(slot.chunk.values_as<float>()[i])
                                                    : slot.chunk.values_as<double>()[i]);
  }

 private:
  Walked& out_;
  ValueMap map_;
  ValueType type_;
  std::vector<std::uint8_t> left_out_;
};

Walked walked(const Rows& rows, const PipelineOptions& options, const ValueMap& map = {}, ValueType in = ValueType::f32,
              ValueType out = ValueType::f32) {
  MemorySource source(rows, 60);
  MemoryBudget budget(64 << 20);
  Walked result;
  Collect work(result, map, out);
  const RunReport report = walk_chunks(source, in, work, pageable_memory(), budget, options);
  EXPECT_EQ(report.nnz, source.shape().nnz);
  return result;
}

PipelineOptions with(int threads, std::int64_t chunk_nnz, int n_slots) {
  PipelineOptions options;
  options.threads = threads;
  options.chunk_nnz = chunk_nnz;
  options.n_slots = n_slots;
  options.poison = true;
  return options;
}

void expect_meaning(const Rows& rows, const Walked& got, const ValueMap& map, ValueType out) {
  ASSERT_EQ(got.totals.size(), rows.size());
  std::size_t i = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    long double total = 0, without = 0;
    for (const auto& entry : rows[r]) {
      const auto value = static_cast<long double>(static_cast<float>(entry.value));
      total += value;
      if (entry.column != 7) without += value;
    }
    EXPECT_EQ(got.totals[r], static_cast<double>(total));
    EXPECT_EQ(got.left_out_totals[r], static_cast<double>(without));
    const double divisor = total == 0 ? 1 : static_cast<double>(total) / 1e4;
    for (const auto& entry : rows[r]) {
      const double value = map(static_cast<double>(static_cast<float>(entry.value)), divisor);
      EXPECT_EQ(got.values[i++], out == ValueType::f32 ? static_cast<double>(static_cast<float>(value)) : value);
    }
  }
}

TEST(ValueMapping, HasTheMeaningWhateverTheChunks) {
  for (const double fraction : {0.0, 0.3})
    for (const ValueMap& map : {ValueMap{}, ValueMap{false, 1}, ValueMap{true, std::log(2.0)}}) {
      const Rows rows = random_rows(3, 50, fraction);
      for (const auto& options : {with(1, 0, 0), with(1, 1, 2), with(2, 40, 2), with(4, 7, 5)})
        expect_meaning(rows, walked(rows, options, map), map, ValueType::f32);
      expect_meaning(rows, walked(rows, with(2, 40, 3), map, ValueType::f64, ValueType::f64), map, ValueType::f64);
    }
}

TEST(ValueMapping, IsWithinARoundingOfTheExactValue) {
  const Rows rows = random_rows(4, 40, 0);
  const Walked got = walked(rows, with(1, 0, 0));
  std::size_t i = 0;
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (const auto& entry : rows[r]) {
      const long double exact = std::log1p(static_cast<long double>(entry.value) * 1e4L / static_cast<long double>(got.totals[r]));
      const auto value = static_cast<float>(got.values[i++]);
      EXPECT_LE(std::abs(static_cast<long double>(value) - exact), 0.51L * (std::nextafter(value, INFINITY) - value));
    }
}

// Rows long enough that their small counts are looked up: every count, in any place, means what it means alone.
TEST(ValueMapping, LongRowsOfCountsMeanTheSame) {
  std::vector<float> values(3000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7 == 0 ? i % 300 : 1 + i % 5);
  values[8] = -0.0F;
  values[9] = -3;
  const std::vector<std::int32_t> offsets{0, 900, 963, 1027, 3000};
  const std::vector<std::uint32_t> columns(values.size());
  const std::array divisors{0.37, 1.0, 2.5, 1e-3};
  CsrChunkView<MemorySpace::host> chunk{0, 4, 3000, offsets.data(), columns.data(), values.data(), ValueType::f32, {}};
  chunk.facts.max_abs = 299;
  for (const ValueMap& map : {ValueMap{}, ValueMap{true, std::log(2)}, ValueMap{false, 1}}) {
    std::vector<float> out(values.size());
    map_values(chunk, divisors.data(), map, ValueType::f32, out.data());
    for (std::size_t row = 0; row < divisors.size(); ++row)
      for (auto i = static_cast<std::size_t>(offsets[row]); i < static_cast<std::size_t>(offsets[row + 1]); ++i)
        EXPECT_EQ(std::bit_cast<std::uint32_t>(out[i]),
                  std::bit_cast<std::uint32_t>(written_value<float>(map(static_cast<double>(values[i]), divisors[row]))))
            << i << " of row " << row;
  }
}

TEST(ValueMapping, ZerosKeepTheirSign) {
  const Walked got = walked({{{0, -0.0}, {1, 3}}}, with(1, 0, 0), {false, 1});
  EXPECT_TRUE(std::signbit(got.values[0]));
}

TEST(ValueMapping, FindsGenesThatDominateACell) {
  const Walked got = walked({{{3, 1}, {4, 9.5}}, {{3, 1}, {5, 9}}, {{6, 90}, {8, 1}}}, with(2, 1, 2));
  EXPECT_EQ(got.dominant[4] + got.dominant[5] + got.dominant[6], 2);  // 9 is not above 90 % of 10
  EXPECT_EQ(got.dominant[5], 0);
  EXPECT_EQ(std::accumulate(got.dominant.begin(), got.dominant.end(), 0), 2);
}

TEST(ChunkWalk, StopsWhenTold) {
  const std::atomic<bool> stop = true;
  PipelineOptions options = with(2, 1, 2);
  options.stop = &stop;
  EXPECT_THROW(walked(random_rows(1, 20, 0), options), Interrupted);
}

TEST(ChunkWalk, WiderValuesAreTheCallersBusiness) { EXPECT_THROW(walked({{{0, 16777217}}}, with(1, 0, 0)), NeedsWiderValues); }

}  // namespace
}  // namespace quern
