// What a chunk travels as: narrowed where its values allow, and never beyond the list of escapes.
#include "cuda/wire.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "host/core/error.hpp"

namespace quern::cuda {
namespace {

struct Chunk {
  explicit Chunk(std::vector<float> list)
      : values(std::move(list)), columns(values.size()), offsets{0, static_cast<std::int32_t>(values.size())} {
    std::iota(columns.begin(), columns.end(), 0U);
    view.n_rows = 1;
    view.n_cols = 60000;
    view.offsets = offsets.data();
    view.columns = columns.data();
    view.values = values.data();
    view.overwritable = true;
    for (const float value : values) view.facts.max_abs = std::max(view.facts.max_abs, static_cast<double>(value));
  }
  Wire wire(std::span<Escape> escapes) { return make_wire(view, 0, view.nnz(), true, escapes); }
  std::vector<float> values;
  std::vector<std::uint32_t> columns;
  std::vector<std::int32_t> offsets;
  CsrChunkView<MemorySpace::host> view;
};

std::vector<float> counts(std::size_t n_large) {
  std::vector<float> values(3000, 7);
  for (std::size_t i = 0; i < n_large; ++i) values[i * 100 + 50] = 255 + static_cast<float>(i);
  return values;
}

TEST(Wire, NarrowsCounts) {
  Chunk chunk(counts(20));
  std::vector<Escape> escapes(20);
  const Wire wire = chunk.wire(escapes);
  ASSERT_EQ(wire.value_code, ValueCode::u8);
  ASSERT_EQ(wire.column_code, ColumnCode::u16);
  EXPECT_EQ(wire.n_escapes, 20);
  const auto* bytes = static_cast<const std::uint8_t*>(wire.values);
  const auto* columns = static_cast<const std::uint16_t*>(wire.columns);
  for (std::size_t i = 0; i < 3000; ++i) {
    EXPECT_EQ(bytes[i], i % 100 == 50 && i / 100 < 20 ? u8_escape : 7);
    EXPECT_EQ(columns[i], i);
  }
  for (std::size_t e = 0; e < 20; ++e) {
    EXPECT_EQ(escapes[e].entry, static_cast<std::int32_t>(e * 100 + 50));
    EXPECT_EQ(escapes[e].value, static_cast<std::int32_t>(255 + e));
  }
}

TEST(Wire, LeavesValuesThatDoNotFitTheList) {
  Chunk chunk(counts(21));
  std::vector<Escape> escapes(20);
  const Wire wire = chunk.wire(escapes);
  EXPECT_EQ(wire.value_code, ValueCode::f32);
  EXPECT_EQ(static_cast<const float*>(wire.values)[50], 255);
}

// Facts that promise small counts while there are large ones: an error, and nothing is written behind the list.
TEST(Wire, WrongFactsAreAnError) {
  Chunk chunk(counts(20));
  chunk.view.facts.max_abs = 7;
  std::vector<Escape> escapes(20, Escape{-1, -1});
  EXPECT_THROW(chunk.wire(std::span(escapes).first(19)), Error);
  EXPECT_EQ(escapes[19].entry, -1);
}

}  // namespace
}  // namespace quern::cuda
