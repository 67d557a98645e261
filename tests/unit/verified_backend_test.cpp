// A device that computes something else than the processor is found out.
#include "host/pipeline/verified_backend.hpp"

#include <gtest/gtest.h>

#include "host/core/error.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/ops/value_map.hpp"

namespace quern {
namespace {

// Adds one to the first value of each chunk that is mapped.
class LyingMapping final : public Mapping {
 public:
  explicit LyingMapping(std::unique_ptr<Mapping> right) : right_(std::move(right)) {}
  void submit(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, void* out) override {
    right_->submit(chunk, divisors, out);
    static_cast<float*>(out)[0] += 1;
  }

 private:
  std::unique_ptr<Mapping> right_;
};

class LyingBackend final : public Backend {
 public:
  std::string name() const override { return right_->name(); }
  std::string device() const override { return "liar"; }
  HostMemory& ring_memory() override { return right_->ring_memory(); }
  std::int64_t chunk_nnz() const override { return right_->chunk_nnz(); }
  std::size_t least_bytes(const OpSpec& ops, const MatrixShape& shape) const override { return right_->least_bytes(ops, shape); }
  std::unique_ptr<Run> open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t reserved_bytes) override {
    return right_->open(ops, shape, budget, reserved_bytes);
  }
  std::unique_ptr<Mapping> open_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape, MemoryBudget& budget) override {
    return std::make_unique<LyingMapping>(right_->open_mapping(map, out_type, shape, budget));
  }
  std::unique_ptr<Product> open_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget) override {
    return right_->open_product(spec, shape, budget);
  }
  std::size_t gram_bytes(std::int64_t n_genes) const override { return right_->gram_bytes(n_genes); }
  std::unique_ptr<GeneProducts> open_gram(std::int64_t n_genes, MemoryBudget& budget) override {
    return right_->open_gram(n_genes, budget);
  }

 private:
  std::unique_ptr<Backend> right_ = make_cpu_backend(1);
};

// What mapping two cells of one value each ends with: the code of an error, or "".
std::string code_of_mapping(std::unique_ptr<Backend> backend) {
  VerifyCount count;
  const auto verified = make_verified_backend(std::move(backend), make_cpu_backend(1), 1, count);
  MemoryBudget budget(std::size_t{1} << 24);
  const auto mapping = verified->open_mapping({}, ValueType::f32, {2, 3, 2}, budget);
  const std::int32_t offsets[] = {0, 1, 2};
  const std::uint32_t columns[] = {0, 2};
  const float values[] = {3, 5};
  const double divisors[] = {1, 2};
  CsrChunkView<MemorySpace::host> chunk;
  chunk.n_rows = 2;
  chunk.n_cols = 3;
  chunk.offsets = offsets;
  chunk.columns = columns;
  chunk.values = values;
  chunk.value_type = ValueType::f32;
  float out[2];
  try {
    mapping->submit(chunk, divisors, out);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the results of cells 0 to 2"), std::string::npos) << error.what();
    return error.code();
  }
  EXPECT_EQ(count.verified, 1);
  return "";
}

TEST(VerifiedBackend, FindsOutADeviceThatComputesSomethingElse) {
  EXPECT_EQ(code_of_mapping(make_cpu_backend(1)), "");
  EXPECT_EQ(code_of_mapping(std::make_unique<LyingBackend>()), "verify-failed");
}

}  // namespace
}  // namespace quern
