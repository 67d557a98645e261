// Mistakes planted in the real kernels: every barrier and every Warp::sync taken out in turn, and atomics that are none.
#include <gtest/gtest.h>

#include <set>

#include "tests/emulation/random_rows.hpp"

namespace quern::emulation {
namespace {

// Rows that take every path of the kernels: several a warp, one long, large and negative values.
KernelCase busy_case(bool whole) {
  KernelCase input;
  input.n_cols = 20000;
  input.whole = whole;
  input.moments = true;
  input.rows = random_counts(1, 40, 20000, 0.01, 60);
  input.rows[5] = random_counts(2, 1, 20000, 0.99, 3)[0];
  input.rows[6] = random_counts(3, 1, 20000, 0.99, 3)[0];
  for (std::size_t i = 0; i < input.rows[9].size(); i += 2) input.rows[9][i].value *= -1;
  input.n_largest = {1, 5, 50, 100, 500};
  input.n_sets = 2;
  input.gene_sets = random_sets(1, 20000, 2);
  return input;
}

// More rows than a block folds between two flushes of its gene words.
KernelCase case_of_many_rows(bool whole) {
  KernelCase input;
  input.n_cols = 1;
  input.whole = whole;
  input.rows.assign(whole ? 8300 : 20, {{0, 1}});
  return input;
}

// Whether some order of lanes shows the mistake: a fault, or other results.
bool caught(const KernelCase& input, const KernelResults& expected, const Planted& planted) {
  for (const LaneOrder order : {LaneOrder::ascending, LaneOrder::descending, LaneOrder::shuffled}) try {
      const KernelSetting setting{{}, {2, 128 * 1024}, {{order, 3, true, planted}, 64}, 0};
      if (!(kernel_results(input, setting) == expected)) return true;
    } catch (const DeviceFault&) {
      return true;
    }
  return false;
}

std::set<std::string> barriers_of(const KernelCase& input) {
  std::set<std::string> places;
  const KernelSetting setting{{}, {2, 128 * 1024}, {{LaneOrder::ascending, 3, true, {}, &places}, 64}, 0};
  kernel_results(input, setting);
  return places;
}

class KernelMistakes : public testing::TestWithParam<bool> {};

TEST_P(KernelMistakes, MissingBarriersAreCaught) {
  const KernelCase busy = busy_case(GetParam()), many = case_of_many_rows(GetParam());
  const KernelResults busy_results = cpu_results(busy), many_results = cpu_results(many);
  const std::set<std::string> places = barriers_of(busy);
  ASSERT_GE(places.size(), 8U);
  for (const std::string& place : places)
    EXPECT_TRUE(caught(busy, busy_results, {place, false}) || caught(many, many_results, {place, false})) << place;
}

TEST_P(KernelMistakes, AtomicsThatAreNoneAreCaught) {
  const KernelCase input = busy_case(GetParam());
  EXPECT_TRUE(caught(input, cpu_results(input), {{}, true}));
}

TEST_P(KernelMistakes, WithoutMistakeNothingIsCaught) {
  const KernelCase input = busy_case(GetParam());
  EXPECT_FALSE(caught(input, cpu_results(input), {}));
}

INSTANTIATE_TEST_SUITE_P(, KernelMistakes, testing::Bool(), [](const auto& kind) { return kind.param ? "Whole" : "Real"; });

}  // namespace
}  // namespace quern::emulation
