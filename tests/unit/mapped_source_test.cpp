// Values that are normalised while they are read, and the words of --on.
#include "host/cpu/mapped_source.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "cli/values_on.hpp"
#include "host/core/error.hpp"
#include "host/cpu/value_mapping.hpp"
#include "tests/support/memory_source.hpp"
#include "tests/support/walk_source.hpp"

namespace quern {
namespace {

using test::MemorySource;
using test::Rows;

constexpr std::int64_t n_genes = 40;

Rows random_rows(unsigned seed, bool whole) {
  std::mt19937_64 random(seed);
  Rows rows(50);
  for (auto& row : rows)
    for (std::uint32_t column = 0; column < n_genes; ++column)
      if (random() % 3 == 0)
        row.push_back({column, static_cast<double>(static_cast<float>(static_cast<double>(random() % 900) + (whole ? 0 : 0.3)))});
  rows[7].clear();
  rows[8] = {{3, 0.0}};
  return rows;
}

double total_of(const std::vector<test::Entry>& row) {
  double total = 0;
  for (const auto& entry : row) total += entry.value;
  return total;
}

std::vector<test::Row> mapped(const Rows& rows, const MappedValues& values, test::Walk how, ChunkFacts* facts = nullptr,
                              ValueType natural = ValueType::f32) {
  MappedSource source(std::make_unique<MemorySource>(rows, n_genes, natural), values);
  const test::Walked walked = test::walk(source, how, 2);
  if (facts) *facts = walked.facts;
  return walked.rows;
}

void expect_naive(const Rows& rows, const std::vector<test::Row>& got, double target, bool logarithm, double tolerance) {
  ASSERT_EQ(got.size(), rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double total = total_of(rows[r]);
    ASSERT_EQ(got[r].size(), rows[r].size());
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      const double scaled = total == 0 ? rows[r][i].value : rows[r][i].value / (total / target);
      const double wanted = logarithm ? std::log1p(scaled) : scaled;
      EXPECT_EQ(got[r][i].first, rows[r][i].column);
      EXPECT_NEAR(got[r][i].second, wanted, tolerance * std::abs(wanted)) << "cell " << r;
    }
  }
}

TEST(MappedSource, ValuesAreThoseOfTheFormula) {
  for (const bool whole : {true, false}) {
    const Rows rows = random_rows(1, whole);
    expect_naive(rows, mapped(rows, {{true, 1}, 1e4, ValueType::f32}, {}), 1e4, true, 1e-7);
    expect_naive(rows, mapped(rows, {{false, 1}, 50, ValueType::f32}, {}), 50, false, 1e-7);
    test::Walk wide;
    wide.value_type = ValueType::f64;
    expect_naive(rows, mapped(rows, {{true, 1}, 1e4, ValueType::f64}, wide), 1e4, true, 1e-15);
  }
}

TEST(MappedSource, BitsDoNotDependOnChunksOrOnTheWidthTheyAreHeldIn) {
  for (const bool whole : {true, false}) {
    const Rows rows = random_rows(2, whole);
    const MappedValues values{{true, 1}, 1e4, ValueType::f32};
    const auto once = mapped(rows, values, {});
    for (const std::int64_t chunk : {1, 30, 200}) {
      test::Walk how;
      how.chunk_nnz = chunk;
      how.n_slots = 4;
      how.order = test::Order::threads;
      EXPECT_EQ(mapped(rows, values, how), once) << chunk;
      how.value_type = ValueType::f64;
      EXPECT_EQ(mapped(rows, values, how), once) << chunk << ", held as doubles";
    }
  }
}

TEST(MappedSource, ValuesAreThoseThatNormalizeWrites) {
  const Rows rows = random_rows(3, false);
  const ValueMap map{true, 1};
  const auto got = mapped(rows, {map, 1e4, ValueType::f32}, {});
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::vector<float> values, out;
    std::vector<std::uint32_t> columns;
    for (const auto& entry : rows[r]) {
      values.push_back(static_cast<float>(entry.value));
      columns.push_back(entry.column);
    }
    out.resize(values.size());
    const std::array<std::int32_t, 2> offsets{0, static_cast<std::int32_t>(values.size())};
    CsrChunkView<MemorySpace::host> chunk{0, 1, n_genes, offsets.data(), columns.data(), values.data(), ValueType::f32, {}};
    chunk.facts.whole = false;
    double divisor = 0;
    row_totals(chunk, {}, &divisor);
    divisor /= 1e4;
    if (divisor == 0) divisor = 1;
    map_values(chunk, &divisor, map, ValueType::f32, out.data());
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(got[r][i].second, static_cast<double>(out[i]));
  }
}

TEST(MappedSource, FactsTellOfTheNewValuesAndOfTheStoredOnes) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  ChunkFacts facts;
  mapped({{{0, 1}, {1, 3}}}, {{false, 1}, 8, ValueType::f32}, {}, &facts);
  EXPECT_FALSE(facts.whole) << "though 2 and 6 are: never claimed";
  EXPECT_FALSE(facts.has_zero || facts.has_negative || facts.has_nan || facts.has_infinity);
  EXPECT_EQ(facts.max_abs, 6);
  mapped({{{0, 1}, {1, 0}}, {{2, -1}, {3, 3}}}, {{false, 1}, 8, ValueType::f32}, {}, &facts);
  EXPECT_TRUE(facts.has_zero && facts.has_negative);
  EXPECT_EQ(facts.max_abs, 12);
  mapped({{{0, nan}}}, {{true, 1}, 8, ValueType::f32}, {}, &facts);
  EXPECT_TRUE(facts.has_nan);
  mapped({{{0, -2}, {1, 1}, {2, 2}}}, {{true, 1}, 1, ValueType::f32}, {}, &facts);
  EXPECT_TRUE(facts.has_nan) << "log1p of -2";
  mapped({{{0, infinity}, {1, 1}}}, {{true, 1}, 1, ValueType::f32}, {}, &facts);
  EXPECT_TRUE(facts.has_nan) << "infinity over infinity";
  mapped({{{0, -1}, {1, 2}}}, {{true, 1}, 1, ValueType::f32}, {}, &facts);
  EXPECT_TRUE(facts.has_infinity) << "log1p of -1";

  MappedSource source(std::make_unique<MemorySource>(Rows{{{0, 1}, {1, 0}}, {{1, 900}}}, n_genes), {{true, 1}, 1e4, ValueType::f32});
  test::walk(source, {});
  EXPECT_TRUE(source.stored_facts().whole && source.stored_facts().has_zero);
  EXPECT_EQ(source.stored_facts().max_abs, 900);
}

TEST(MappedSource, NumbersThatNeed64BitsSaySo) {
  MappedSource source(std::make_unique<MemorySource>(Rows{{{0, 16777217}, {1, 5}}}, n_genes), {{true, 1}, 1e4, ValueType::f32});
  EXPECT_THROW(test::walk(source, {}), NeedsWiderValues);
  test::Walk wide;
  wide.value_type = ValueType::f64;
  const auto rows = test::walk(source, wide).rows;
  EXPECT_EQ(rows[0][0].second, static_cast<double>(static_cast<float>(std::log1p(16777217 / (16777222 / 1e4)))));
}

}  // namespace
}  // namespace quern

namespace quern::cli {
namespace {

using Kind = ValuesOn::Kind;

TEST(ValuesOn, Words) {
  EXPECT_EQ(parse_values_on("stored").kind, Kind::stored);
  EXPECT_EQ(parse_values_on("counts").kind, Kind::stored);
  const ValuesOn cpm = parse_values_on("log1p-cpm");
  EXPECT_EQ(cpm.kind, Kind::log1p);
  EXPECT_EQ(cpm.target, 1e6);
  EXPECT_EQ(parse_values_on("counts-per:1e4").target, 1e4);
  EXPECT_EQ(parse_values_on("counts-per:1e4").kind, Kind::counts_per);
  EXPECT_TRUE(parse_values_on("log1p:median").needs_median());
  EXPECT_TRUE(parse_values_on("normalized").needs_median());
  EXPECT_EQ(parse_values_on("normalized").kind, Kind::counts_per);
  EXPECT_FALSE(parse_values_on("stored").needs_median());
}

TEST(ValuesOn, TextCanBeGivenAgain) {
  for (const char* text : {"stored", "counts-per:10000", "log1p:median", "log1p:0.5", "counts-per:median"})
    EXPECT_EQ(parse_values_on(text).text(), text);
}

TEST(ValuesOn, OtherWordsAreRefused) {
  const auto code_of = [](const char* text) {
    try {
      parse_values_on(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      EXPECT_EQ(error.object(), "--on");
      EXPECT_FALSE(error.hint().empty());
      return error.code();
    }
    return std::string("nothing");
  };
  for (const char* text : {"", "X", "log1p", "counts-per", "logp:1e4", "Stored", "log1p1e4"}) EXPECT_EQ(code_of(text), "bad-value") << text;
  for (const char* text :
       {"log1p:", "log1p:0", "log1p:-1", "log1p:inf", "log1p:nan", "log1p:1e4x", "log1p:Median", "counts-per: 5", "log1p:1e999"})
    EXPECT_EQ(code_of(text), "bad-number") << text;
}

TEST(ValuesOn, MistypedWordsGetASuggestion) {
  const auto hint_of = [](const char* text) {
    try {
      parse_values_on(text);
    } catch (const Error& error) {
      return error.hint();
    }
    return std::string();
  };
  EXPECT_NE(hint_of("logp1:1e4").find("log1p"), std::string::npos);
  EXPECT_EQ(hint_of("logp1:1e4").find("did you mean"), 0);
  EXPECT_EQ(hint_of("sotred").find("did you mean stored?"), 0);
}

io::MatrixInfo matrix_of(const std::string& type) {
  io::MatrixInfo matrix;
  matrix.data.type = type;
  return matrix;
}

TEST(ValuesSource, StoredValuesComeFromTheSourceItself) {
  auto memory = std::make_unique<test::MemorySource>(test::Rows{{{0, 2}}}, 3);
  const ChunkSource* source = memory.get();
  ValuesSource values(std::move(memory), {}, matrix_of("float32"));
  EXPECT_EQ(&values.source(), source);
  EXPECT_EQ(values.extra_passes(), 0);
  MemoryBudget budget(1 << 20);
  RunReport run;
  values.find_target(budget, {}, run);
  EXPECT_EQ(run.passes, 0);
}

TEST(ValuesSource, FindsTheMedianOfCellsWithCounts) {
  const test::Rows rows{{{0, 2}, {1, 2}}, {}, {{2, 16777217}}, {{1, 8}}, {{0, 0}}};  // totals 4, 0, 16777217, 8, 0
  ValuesSource values(std::make_unique<test::MemorySource>(rows, 3), {Kind::counts_per, 0}, matrix_of("int32"));
  EXPECT_EQ(values.extra_passes(), 1);
  MemoryBudget budget(32 << 20);
  RunReport run;
  values.find_target(budget, {}, run);
  EXPECT_EQ(run.passes, 1);
  EXPECT_EQ(values.target(), 8);
  EXPECT_EQ(values.extra_passes(), 0);
  test::Walk wide;
  wide.value_type = ValueType::f64;
  const auto got = test::walk(values.source(), wide).rows;
  EXPECT_EQ(got[0][0].second, 4);
  EXPECT_EQ(got[2][0].second, 8);
}

TEST(ValuesSource, RoundsAsNormalizeWrites) {
  const test::Rows rows{{{0, 1}, {1, 2}}};
  test::Walk wide;
  wide.value_type = ValueType::f64;
  const auto value = [&](const std::string& type) {
    ValuesSource values(std::make_unique<test::MemorySource>(rows, 3, ValueType::f64), {Kind::counts_per, 1}, matrix_of(type));
    return test::walk(values.source(), wide).rows[0][0].second;
  };
  EXPECT_EQ(value("float64"), 1.0 / 3);
  EXPECT_EQ(value("int64"), static_cast<double>(1.0F / 3));
}

}  // namespace
}  // namespace quern::cli
