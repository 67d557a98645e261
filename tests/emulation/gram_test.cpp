// Products of genes with genes on the fake runtime, against plain sums.
#include <gtest/gtest.h>

#include "cuda/cuda_gram.hpp"
#include "host/ops/gram.hpp"
#include "tests/emulation/random_rows.hpp"

namespace quern::emulation {
namespace {

constexpr std::int64_t n_genes = 70;

struct Sums {
  std::vector<double> products, sums;
};

Sums plain_sums(const test::Rows& rows) {
  Sums found{std::vector<double>(n_genes * n_genes), std::vector<double>(n_genes)};
  for (const auto& row : rows)
    for (const auto& one : row) {
      found.sums[one.column] += one.value;
      for (const auto& other : row)
        found.products[static_cast<std::size_t>(one.column * n_genes + other.column)] += one.value * other.value;
    }
  return found;
}

template <class V>
void add_rows(GeneProducts& run, const HostChunk& rows) {
  const std::vector<V> values(rows.values.begin(), rows.values.end());
  CsrChunkView<MemorySpace::host> view;
  view.n_rows = static_cast<std::int32_t>(rows.offsets.size()) - 1;
  view.n_cols = n_genes;
  view.offsets = rows.offsets.data();
  view.columns = rows.columns.data();
  view.values = values.data();
  view.value_type = sizeof(V) == 4 ? ValueType::f32 : ValueType::f64;
  run.add(view);
}

class DeviceGram : public testing::Test {
 protected:
  DeviceGram() {
    cuda::DeviceFacts facts;
    facts.name = "emulated";
    devices_.push_back(std::make_unique<cuda::Device>(facts, std::size_t{200} << 20));
  }
  template <class V>
  Sums on_device(const test::Rows& rows) {
    cuda::CudaGram run(n_genes, {devices_, host_, 2, 0, told_, traffic_}, budget_);
    const auto step = static_cast<std::size_t>(gram_block_rows(n_genes));
    for (std::size_t first = 0; first < rows.size(); first += step)
      add_rows<V>(run, HostChunk(rows, first, std::min(first + step, rows.size())));
    const auto products = run.finish();
    return {{products.begin(), products.end()}, {run.sums().begin(), run.sums().end()}};
  }

  MemoryBudget budget_{std::size_t{1} << 30};
  std::vector<std::unique_ptr<cuda::Device>> devices_;
  cuda::PinnedMemory host_;
  std::string told_;
  cuda::TrafficMeter traffic_;
};

TEST_F(DeviceGram, OfCountsIsExact) {
  test::Rows rows = random_counts(3, 9000, n_genes, 0.2, 4);  // two blocks
  rows[17].clear();
  const Sums expected = plain_sums(rows);
  for (const Sums& found : {on_device<float>(rows), on_device<double>(rows)}) {
    EXPECT_EQ(found.products, expected.products);
    EXPECT_EQ(found.sums, expected.sums);
  }
  EXPECT_EQ(budget_.available(), std::size_t{1} << 30);
}

TEST_F(DeviceGram, OfLogarithmsIsTheSameFromRunToRun) {
  const test::Rows rows = random_logs(4, 1500, n_genes, 0.3);
  const Sums expected = plain_sums(rows), found = on_device<float>(rows);
  EXPECT_EQ(on_device<float>(rows).products, found.products);
  EXPECT_EQ(found.sums, expected.sums);
  for (std::size_t i = 0; i < found.products.size(); ++i)
    EXPECT_NEAR(found.products[i], expected.products[i], 1e-12 * expected.products[i]);
}

TEST_F(DeviceGram, OfNothing) {
  const Sums found = on_device<float>({});
  EXPECT_EQ(found.products, std::vector<double>(n_genes * n_genes));
}

TEST_F(DeviceGram, TellsWhatTheDeviceLacks) {
  devices_.clear();
  devices_.push_back(std::make_unique<cuda::Device>(cuda::DeviceFacts{}, std::size_t{1} << 20));
  try {
    on_device<float>({});
    FAIL() << "it fits 1 MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "device-memory");
  }
}

}  // namespace
}  // namespace quern::emulation
