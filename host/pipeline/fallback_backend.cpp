#include "host/pipeline/fallback_backend.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "host/core/error.hpp"
#include "host/ops/op_spec.hpp"

namespace quern {
namespace {

class FallbackBackend final : public Backend {
 public:
  FallbackBackend(std::unique_ptr<Backend> first, std::unique_ptr<Backend> second)
      : first_(std::move(first)), second_(std::move(second)), current_(first_.get()) {}

  std::string name() const override { return current_->name(); }
  std::string device() const override { return current_->device(); }
  HostMemory& ring_memory() override { return current_->ring_memory(); }
  std::int64_t chunk_nnz() const override { return current_->chunk_nnz(); }
  std::uint64_t peak_device_bytes() const override { return current_->peak_device_bytes(); }
  DeviceTraffic device_traffic() const override { return current_->device_traffic(); }
  std::size_t least_bytes(const OpSpec& ops, const MatrixShape& shape) const override { return current_->least_bytes(ops, shape); }
  std::unique_ptr<Run> open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t reserved_bytes) override;
  std::unique_ptr<Mapping> open_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape, MemoryBudget& budget) override;
  std::unique_ptr<Product> open_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget) override;
  std::size_t gram_bytes(std::int64_t n_genes) const override {  // of whichever it comes to
    return std::max(first_->gram_bytes(n_genes), second_->gram_bytes(n_genes));
  }
  std::unique_ptr<GeneProducts> open_gram(std::int64_t n_genes, MemoryBudget& budget) override;
  std::vector<BackendWarning> warnings() const override {
    std::vector<BackendWarning> warnings = current_->warnings();
    if (!why_.empty()) warnings.push_back({"fell-back", "computed by " + current_->name() + ", since " + why_});
    return warnings;
  }

  // Calls first_try; where that fails and nothing has been computed yet, second_try.
  template <class FirstTry, class SecondTry>
  void try_both(const FirstTry& first_try, const SecondTry& second_try) {
    try {
      first_try();
    } catch (const Error& error) {
      const bool of_device = error.kind() == ErrorKind::device || error.kind() == ErrorKind::resources;
      if (started_ || current_ != first_.get() || !of_device) throw;
      why_ = error.object() + ": " + error.what();
      current_ = second_.get();
      second_try();
    }
  }
  Backend& second() { return *second_; }
  void start() { started_ = true; }

 private:
  std::unique_ptr<Backend> first_, second_;
  Backend* current_;
  std::string why_;
  std::atomic<bool> started_ = false;
};

class FallbackRun final : public Run {
 public:
  FallbackRun(FallbackBackend& backend, std::unique_ptr<Run> run, const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget,
              std::size_t reserved_bytes)
      : backend_(backend), run_(std::move(run)), ops_(ops), shape_(shape), budget_(budget), reserved_bytes_(reserved_bytes) {}

  void prepare(const SlotShape& largest) override {
    backend_.try_both([&] { run_->prepare(largest); },
                      [&] {
                        run_.reset();  // and what it claims
                        run_ = backend_.second().open(ops_, shape_, budget_, reserved_bytes_);
                        run_->prepare(largest);
                      });
  }
  void submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) override {
    backend_.start();
    run_->submit(chunk, rows);
  }
  ColumnResults finish() override { return run_->finish(); }

 private:
  FallbackBackend& backend_;
  std::unique_ptr<Run> run_;
  OpSpec ops_;
  MatrixShape shape_;
  MemoryBudget& budget_;
  std::size_t reserved_bytes_;
};

std::unique_ptr<Run> FallbackBackend::open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t reserved_bytes) {
  std::unique_ptr<Run> run;
  const auto open_current = [&] { run = current_->open(ops, shape, budget, reserved_bytes); };
  try_both(open_current, open_current);
  return std::make_unique<FallbackRun>(*this, std::move(run), ops, shape, budget, reserved_bytes);
}

// This and a mapping make their room when they are opened, so what fails later is of a chunk.
std::unique_ptr<GeneProducts> FallbackBackend::open_gram(std::int64_t n_genes, MemoryBudget& budget) {
  std::unique_ptr<GeneProducts> products;
  const auto open_current = [&] { products = current_->open_gram(n_genes, budget); };
  try_both(open_current, open_current);
  return products;
}

std::unique_ptr<Mapping> FallbackBackend::open_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape,
                                                       MemoryBudget& budget) {
  std::unique_ptr<Mapping> mapping;
  const auto open_current = [&] { mapping = current_->open_mapping(map, out_type, shape, budget); };
  try_both(open_current, open_current);
  return mapping;
}

// The same holds for a product.
std::unique_ptr<Product> FallbackBackend::open_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget) {
  std::unique_ptr<Product> product;
  const auto open_current = [&] { product = current_->open_product(spec, shape, budget); };
  try_both(open_current, open_current);
  return product;
}

}  // namespace

std::unique_ptr<Backend> make_fallback_backend(std::unique_ptr<Backend> first, std::unique_ptr<Backend> second) {
  return std::make_unique<FallbackBackend>(std::move(first), std::move(second));
}

}  // namespace quern
