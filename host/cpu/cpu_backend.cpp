#include "host/cpu/cpu_backend.hpp"

#include "host/cpu/cpu_product.hpp"
#include "host/cpu/cpu_runs.hpp"
#include "host/cpu/gram_sum.hpp"
#include "host/cpu/value_mapping.hpp"
#include "host/ops/op_spec.hpp"

namespace quern {
namespace {

class CpuMapping final : public Mapping {
 public:
  CpuMapping(const ValueMap& map, ValueType out_type) : map_(map), out_type_(out_type) {}
  void submit(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, void* out) override {
    map_values(chunk, divisors, map_, out_type_, out);
  }

 private:
  ValueMap map_;
  ValueType out_type_;
};

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int threads) : threads_(threads) {}
  std::string name() const override { return "cpu"; }
  std::string device() const override { return std::to_string(threads_) + (threads_ == 1 ? " thread" : " threads"); }
  HostMemory& ring_memory() override { return pageable_memory(); }
  std::size_t least_bytes(const OpSpec& ops, const MatrixShape& shape) const override {
    return (ops.integer_mode ? whole_copy_bytes(ops, shape) : real_copy_bytes(ops, shape)) + column_result_bytes(ops, shape);
  }
  std::unique_ptr<Run> open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t reserved_bytes) override {
    return ops.integer_mode ? make_whole_run(ops, shape, {budget, threads_, reserved_bytes})
                            : make_real_run(ops, shape, {budget, threads_, reserved_bytes});
  }
  std::unique_ptr<Mapping> open_mapping(const ValueMap& map, ValueType out_type, const MatrixShape&, MemoryBudget&) override {
    return std::make_unique<CpuMapping>(map, out_type);
  }
  std::unique_ptr<Product> open_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget) override {
    return make_cpu_product(spec, shape, budget, threads_);
  }
  std::size_t gram_bytes(std::int64_t n_genes) const override { return GramSum::bytes(n_genes, threads_); }
  std::unique_ptr<GeneProducts> open_gram(std::int64_t n_genes, MemoryBudget& budget) override {
    return std::make_unique<GramSum>(n_genes, threads_, budget);
  }

 private:
  int threads_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads) { return std::make_unique<CpuBackend>(threads); }

}  // namespace quern
