// Products on the model of a device: the bits of one sum after the other, whatever the codes, the order of lanes and the cuts.
#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <set>

#include "cuda/kernels/product_dispatch.hpp"
#include "tests/emulation/random_rows.hpp"

namespace quern::emulation {
namespace {

struct Factor {
  Factor(std::int64_t rows, std::int32_t cols, ValueType value_type, std::uint64_t seed) : type(value_type), n_rows(rows), n_cols(cols) {
    std::mt19937_64 random(seed);
    for (std::int64_t i = 0; i < rows * cols; ++i) {
      const double value = (static_cast<double>(random() >> 11) * 0x1p-53 - 0.5) * 8;
      values.push_back(type == ValueType::f32 ? static_cast<double>(static_cast<float>(value)) : value);
    }
    floats.assign(values.begin(), values.end());
  }
  double at(std::int64_t row, std::int64_t column) const { return values[static_cast<std::size_t>(row * n_cols + column)]; }
  ValueType type;
  std::int64_t n_rows;
  std::int32_t n_cols;
  std::vector<double> values;
  std::vector<float> floats;
};

// B in device memory.
class OnDevice {
 public:
  explicit OnDevice(const Factor& factor) : factor_(factor), doubles_(factor.values), floats_(factor.floats) {}
  cuda::DeviceDense view() const {
    const void* values = factor_.type == ValueType::f32 ? static_cast<const void*>(floats_.data()) : doubles_.data();
    return {values, factor_.type, factor_.n_rows, factor_.n_cols};
  }

 private:
  const Factor& factor_;
  DeviceArray<double> doubles_;
  DeviceArray<float> floats_;
};

using Bits = std::vector<std::uint64_t>;

Bits naive(const KernelCase& input, const Factor& b, bool transposed) {
  const std::size_t n = transposed ? input.n_cols : input.rows.size(), width = static_cast<std::size_t>(b.n_cols);
  std::vector<double> sums(n * width, 0.0);
  for (std::size_t r = 0; r < input.rows.size(); ++r)
    for (const auto& entry : input.rows[r])
      for (std::size_t j = 0; j < width; ++j) {
        volatile double product =
            entry.value * b.at(static_cast<std::int64_t>(transposed ? r : entry.column), static_cast<std::int64_t>(j));
        sums[(transposed ? entry.column : r) * width + j] += product;
      }
  Bits bits;
  for (const double sum : sums) bits.push_back(std::bit_cast<std::uint64_t>(sum));
  return bits;
}

Bits bits_of(const DeviceArray<double>& sums) {
  Bits bits;
  for (std::size_t i = 0; i < sums.size(); ++i) bits.push_back(std::bit_cast<std::uint64_t>(sums[i]));
  return bits;
}

Bits multiplied(const KernelCase& input, const Factor& b, const KernelSetting& setting) {
  const HostChunk chunk(input.rows, 0, input.rows.size());
  const CodedChunk coded(chunk, input.n_cols, setting.codes);
  const OnDevice factor(b);
  DeviceArray<double> sums(input.rows.size() * static_cast<std::size_t>(b.n_cols));
  sums.zero();
  auto launcher = setting.launcher;
  cuda::dispatch_multiply_rows({coded.view(), factor.view(), sums.data()}, setting.device, launcher);
  return bits_of(sums);
}

Bits folded(const KernelCase& input, const Factor& b, const KernelSetting& setting) {
  DeviceArray<double> sums(input.n_cols * static_cast<std::size_t>(b.n_cols));
  sums.zero();
  const std::size_t step = setting.rows_a_chunk ? setting.rows_a_chunk : input.rows.size();
  for (std::size_t first = 0; first < input.rows.size(); first += step) {
    const std::size_t last = std::min(first + step, input.rows.size());
    const HostChunk chunk(input.rows, first, last);
    const CodedChunk coded(chunk, input.n_cols, setting.codes);
    const OnDevice factor(b);
    cuda::DeviceDense part = factor.view();
    part.n_rows = static_cast<std::int64_t>(last - first);
    const std::size_t skip = first * static_cast<std::size_t>(b.n_cols) * size_of(b.type);
    part.values = static_cast<const std::byte*>(part.values) + skip;
    auto launcher = setting.launcher;
    cuda::dispatch_fold_genes({coded.view(), part, sums.data()}, setting.device, launcher);
  }
  return bits_of(sums);
}

KernelCase counts(std::uint32_t n_cols, double density) {
  KernelCase input;
  input.n_cols = n_cols;
  input.rows = random_counts(3, 45, n_cols, density, 60);
  input.rows[4].clear();
  input.rows[9] = random_counts(5, 1, n_cols, 1, 3)[0];
  input.rows[12][0].value = 1234567;
  return input;
}

KernelCase reals() {
  KernelCase input = counts(70, 0.3);
  input.whole = false;
  input.value_type = ValueType::f64;
  for (auto& row : input.rows)
    for (auto& entry : row) entry.value = std::log1p(entry.value) * (entry.column % 3 == 0 ? -1 : 1);
  return input;
}

void expect_same(const KernelCase& input, std::int32_t width, ValueType type, std::size_t shared_bytes) {
  const Factor genes(input.n_cols, width, type, 7), cells(static_cast<std::int64_t>(input.rows.size()), width, type, 8);
  const Bits rows = naive(input, genes, false), sums = naive(input, cells, true);
  for (const Codes& codes : possible_codes(input))
    for (const LaneOrder order : {LaneOrder::ascending, LaneOrder::descending, LaneOrder::shuffled}) {
      const KernelSetting setting{codes, {3, shared_bytes}, {{order, 5, true}, 64}, order == LaneOrder::shuffled ? std::size_t{7} : 0};
      EXPECT_EQ(multiplied(input, genes, setting), rows) << width;
      EXPECT_EQ(folded(input, cells, setting), sums) << width;
    }
}

TEST(ProductKernels, HaveTheBitsOfOneSumAfterTheOther) {
  for (const std::int32_t width : {1, 31, 32, 33, 64, 65, 130}) expect_same(counts(70, 0.3), width, ValueType::f32, 48 * 1024);
  expect_same(counts(70, 0.3), 40, ValueType::f64, 48 * 1024);
  expect_same(reals(), 20, ValueType::f64, 48 * 1024);
  expect_same(reals(), 20, ValueType::f32, 48 * 1024);
}

TEST(ProductKernels, WithBInSharedMemoryOrNot) {
  const KernelCase input = counts(40, 0.95);  // enough entries for B to be worth a copy
  for (const std::size_t shared_bytes : {std::size_t{128} * 1024, std::size_t{16} * 1024})
    expect_same(input, 33, ValueType::f32, shared_bytes);
}

TEST(ProductKernels, MoreGenesThanSixteenBitsHold) {
  KernelCase input = counts(70000, 0.001);
  input.rows.resize(12);
  const Factor b(70000, 3, ValueType::f32, 1), cells(12, 3, ValueType::f32, 2);
  const KernelSetting setting{{}, {3, 48 * 1024}, {{LaneOrder::shuffled, 2, false}, 64}};
  input.rows[9].resize(2000);
  input.rows[9].push_back({69999, 2});
  EXPECT_EQ(multiplied(input, b, setting), naive(input, b, false));
  EXPECT_EQ(folded(input, cells, setting), naive(input, cells, true));
}

TEST(ProductKernels, AMissingBarrierIsCaught) {
  const KernelCase input = counts(40, 0.95);
  const Factor b(40, 33, ValueType::f32, 4);
  const Bits expected = naive(input, b, false);
  std::set<std::string> places;
  const Codes codes{cuda::ColumnCode::u16, cuda::ValueCode::u8};
  multiplied(input, b, {codes, {3, 128 * 1024}, {{LaneOrder::ascending, 3, true, {}, &places}, 64}});
  ASSERT_EQ(places.size(), 1U);
  bool caught = false;
  for (const LaneOrder order : {LaneOrder::ascending, LaneOrder::descending, LaneOrder::shuffled}) try {
      caught = caught || multiplied(input, b, {codes, {3, 128 * 1024}, {{order, 3, true, {*places.begin(), false}}, 64}}) != expected;
    } catch (const DeviceFault&) {
      caught = true;
    }
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace quern::emulation
