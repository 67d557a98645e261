#include "host/pipeline/selected_source.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/memory_source.hpp"
#include "tests/support/walk_source.hpp"

namespace quern {
namespace {

constexpr std::int64_t n_genes = 30;

TEST(SelectedSource, LeavesOutWhatWasNotChosen) {
  std::mt19937_64 random(1);
  test::Rows rows(40);
  for (auto& row : rows)
    for (std::uint32_t gene = 0; gene < n_genes; ++gene)
      if (random() % 3 == 0) row.push_back({gene, static_cast<double>(random() % 100)});
  rows[5].clear();
  std::vector<std::uint8_t> kept(n_genes, 0);
  for (const std::size_t gene : {0U, 3U, 4U, 17U, 29U}) kept[gene] = 1;
  for (const ValueType type : {ValueType::f32, ValueType::f64}) {
    test::Walk how;
    how.chunk_nnz = type == ValueType::f32 ? 1 : 50;
    how.value_type = type;
    test::MemorySource source(rows, n_genes);
    SelectedSource selected(source, kept);
    EXPECT_EQ(selected.shape().n_cols, 5);
    EXPECT_EQ(selected.shape().n_rows, 40);
    const test::Walked walked = test::walk(selected, how, 2);
    ASSERT_EQ(walked.rows.size(), rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      test::Row expected;
      for (const test::Entry& entry : rows[r]) {
        if (!kept[entry.column]) continue;
        const auto place = std::count(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(entry.column), 1);
        expected.push_back({static_cast<std::uint32_t>(place), entry.value});
      }
      EXPECT_EQ(walked.rows[r], expected) << r;
    }
  }
}

TEST(SelectedSource, NothingChosenLeavesEmptyRows) {
  test::MemorySource source({{{1, 2.0}}, {}}, 3);
  SelectedSource selected(source, std::vector<std::uint8_t>(3, 0));
  const test::Walked walked = test::walk(selected, {});
  EXPECT_EQ(walked.rows, (std::vector<test::Row>{{}, {}}));
}

}  // namespace
}  // namespace quern
