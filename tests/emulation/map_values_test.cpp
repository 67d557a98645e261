// Normalised values: the bits of host/ops/value_map.hpp, which are within a rounding of the exact ones.
#include <bit>
#include <cmath>

#include "tests/emulation/compare.hpp"
#include "tests/emulation/emulated_pass.hpp"

namespace quern::emulation {
namespace {

template <class Out>
std::vector<Out> mapped(const KernelCase& input, const ValueMap& map, const std::vector<double>& divisors, const Codes& codes,
                        LaneOrder order) {
  const HostChunk chunk(input.rows, 0, input.rows.size());
  const auto bytes = mapped_values(CodedChunk(chunk, input.n_cols, codes), divisors, map,
                                   sizeof(Out) == 4 ? ValueType::f32 : ValueType::f64, {{order, 5, true}, 64});
  std::vector<Out> values(bytes.size() / sizeof(Out));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

KernelCase counts() {
  KernelCase input;
  input.n_cols = 500;
  input.rows = random_counts(1, 40, 500, 0.2, 30);
  input.rows[3].clear();
  input.rows[7][0].value = 1234567;
  return input;
}

std::vector<double> divisors_of(const KernelCase& input) {
  std::vector<double> divisors;
  for (const auto& row : input.rows) {
    double total = 0;
    for (const auto& entry : row) total += entry.value;
    divisors.push_back(total == 0 ? 1 : total / 1e4);
  }
  return divisors;
}

template <class Out>
void expect_meaning(const ValueMap& map) {
  const KernelCase input = counts();
  const std::vector<double> divisors = divisors_of(input);
  std::vector<Out> expected;
  for (std::size_t r = 0; r < input.rows.size(); ++r)
    for (const auto& entry : input.rows[r]) expected.push_back(static_cast<Out>(map(entry.value, divisors[r])));
  for (const Codes& codes : possible_codes(input))
    for (const LaneOrder order : {LaneOrder::ascending, LaneOrder::descending, LaneOrder::shuffled})
      EXPECT_EQ(mapped<Out>(input, map, divisors, codes, order), expected);
}

TEST(MapValues, HasTheBitsOfItsMeaning) {
  expect_meaning<float>({});
  expect_meaning<double>({});
  expect_meaning<float>({false, 1});
  expect_meaning<double>({true, std::log(2.0)});
}

TEST(MapValues, IsWithinARoundingOfTheExactValue) {
  const KernelCase input = counts();
  const std::vector<double> divisors = divisors_of(input);
  const auto values = mapped<float>(input, {}, divisors, {}, LaneOrder::ascending);
  std::size_t i = 0;
  for (std::size_t r = 0; r < input.rows.size(); ++r)
    for (const auto& entry : input.rows[r]) {
      const long double exact = std::log1p(static_cast<long double>(entry.value) / static_cast<long double>(divisors[r]));
      const float value = values[i++];
      EXPECT_LE(std::abs(static_cast<long double>(value) - exact), 0.51L * (std::nextafter(value, INFINITY) - value));
    }
}

}  // namespace
}  // namespace quern::emulation
