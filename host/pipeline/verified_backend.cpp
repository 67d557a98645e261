#include "host/pipeline/verified_backend.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "host/core/error.hpp"
#include "host/ops/gram.hpp"
#include "host/ops/op_spec.hpp"
#include "host/ops/product.hpp"

namespace quern {
namespace {

struct Parties {
  Backend& backend;
  Backend& reference;
  double fraction;
  VerifyCount& count;

  bool is_sampled(std::int64_t number) const {
    const auto before = static_cast<double>(number) * fraction;
    return std::ceil(before) < std::ceil(before + fraction);
  }
  [[noreturn]] void differ(const std::string& what) const {
    throw Error(ErrorKind::device, "verify-failed", backend.device(), what + " differ from what the processor computes",
                "do not trust this device: run again with --backend cpu");
  }
};

std::string values_of(const CsrChunkView<MemorySpace::host>& chunk) {
  return "the results of cells " + std::to_string(chunk.first_row) + " to " + std::to_string(chunk.first_row + chunk.n_rows);
}

template <class T>
bool same_bits(const T* a, const T* b, std::size_t count) {
  return count == 0 || std::memcmp(static_cast<const void*>(a), static_cast<const void*>(b), count * sizeof(T)) == 0;
}
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && same_bits(a.data(), b.data(), a.size());
}

// Row results of a chunk of up to max_rows rows.
class RowArrays {
 public:
  RowArrays(std::int32_t max_rows, int n_top, int n_sets) {
    const auto n = static_cast<std::size_t>(max_rows);
    n_nonzero_.resize(n);
    totals_.resize(n);
    top_.resize(n * static_cast<std::size_t>(n_top));
    sets_.resize(n * static_cast<std::size_t>(n_sets));
  }
  RowBlock like(const RowBlock& rows) {
    RowBlock result = rows;
    result.n_nonzero = n_nonzero_.data();
    result.totals = totals_.data();
    result.top = top_.data();
    result.sets = sets_.data();
    return result;
  }

 private:
  std::vector<std::int32_t> n_nonzero_;
  std::vector<Total> totals_, top_, sets_;
};

class VerifiedRun final : public Run {
 public:
  VerifiedRun(const Parties& parties, const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t reserved_bytes)
      : parties_(parties), ops_(ops), budget_(budget) {
    for (auto* run : {&run_, &sampled_}) *run = parties.backend.open(ops, shape, budget, reserved_bytes);
    reference_ = parties.reference.open(ops, shape, budget, reserved_bytes);
  }

  void prepare(const SlotShape& largest) override {
    const int n_top = static_cast<int>(ops_.rows.percent_top.size());
    const auto n_rows = static_cast<std::size_t>(largest.max_rows), nnz = static_cast<std::size_t>(largest.max_nnz);
    const std::size_t chunk_bytes = nnz * (sizeof(std::uint32_t) + size_of(ops_.value_type));
    claim_ = budget_.claim("chunk that is verified", chunk_bytes + n_rows * RowBlock::bytes_per_row(n_top, ops_.n_gene_sets));
    columns_.resize(nnz);
    values_.resize(nnz * size_of(ops_.value_type));
    expected_.emplace(largest.max_rows, n_top, ops_.n_gene_sets);
    for (Run* run : {run_.get(), sampled_.get(), reference_.get()}) run->prepare(largest);
  }

  void submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) override {
    if (parties_.is_sampled(parties_.count.chunks++)) return submit_and_compare(chunk, rows);
    all_sampled_ = false;
    run_->submit(chunk, rows);
  }

  // Where all chunks were sampled, what is handed on is compared itself, too.
  ColumnResults finish() override {
    const ColumnResults expected = reference_->finish();
    compare(sampled_->finish(), expected);
    ColumnResults results = run_->finish();
    if (all_sampled_) compare(results, expected);
    return results;
  }

 private:
  void submit_and_compare(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) {
    const std::scoped_lock one_at_a_time(mutex_);
    CsrChunkView<MemorySpace::host> copy = chunk;
    const auto nnz = static_cast<std::size_t>(chunk.nnz());
    if (nnz > 0) {
      std::memcpy(columns_.data(), chunk.columns, nnz * sizeof(std::uint32_t));
      std::memcpy(values_.data(), chunk.values, nnz * size_of(chunk.value_type));
    }
    copy.columns = columns_.data();
    copy.values = values_.data();
    run_->submit(chunk, rows);
    RowBlock expected = expected_->like(rows);
    reference_->submit(copy, expected);
    compare(chunk, rows, expected);
    copy.overwritable = true;
    sampled_->submit(copy, expected);
    ++parties_.count.verified;
  }

  void compare(const CsrChunkView<MemorySpace::host>& chunk, const RowBlock& found, const RowBlock& expected) const {
    const auto n = static_cast<std::size_t>(chunk.n_rows), n_top = static_cast<std::size_t>(found.n_top),
               n_sets = static_cast<std::size_t>(found.n_sets);
    if (!same_bits(found.n_nonzero, expected.n_nonzero, n) || !same_bits(found.totals, expected.totals, n) ||
        !same_bits(found.top, expected.top, n * n_top) || !same_bits(found.sets, expected.sets, n * n_sets))
      parties_.differ(values_of(chunk));
  }

  void compare(const ColumnResults& found, const ColumnResults& expected) const {
    if (!same_bits(found.n_nonzero, expected.n_nonzero) || !same_bits(found.totals, expected.totals) ||
        !same_bits(&found.grand_total, &expected.grand_total, 1) || !same_bits(found.mean, expected.mean) ||
        !same_bits(found.var, expected.var) || !same_bits(found.mean_log1p_cpm, expected.mean_log1p_cpm) ||
        !same_bits(found.var_log1p_cpm, expected.var_log1p_cpm))
      parties_.differ("the results of genes over " + std::to_string(parties_.count.verified) + " chunks");
  }

  Parties parties_;
  OpSpec ops_;
  MemoryBudget& budget_;
  Claim claim_;
  std::unique_ptr<Run> run_, sampled_, reference_;
  std::atomic<bool> all_sampled_ = true;
  std::mutex mutex_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::byte> values_;
  std::optional<RowArrays> expected_;
};

class VerifiedMapping final : public Mapping {
 public:
  VerifiedMapping(const Parties& parties, const ValueMap& map, ValueType out_type, const MatrixShape& shape, MemoryBudget& budget)
      : parties_(parties),
        budget_(budget),
        value_bytes_(size_of(out_type)),
        mapping_(parties.backend.open_mapping(map, out_type, shape, budget)),
        reference_(parties.reference.open_mapping(map, out_type, shape, budget)) {}

  void submit(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, void* out) override {
    if (!parties_.is_sampled(parties_.count.chunks++)) return mapping_->submit(chunk, divisors, out);
    const std::scoped_lock one_at_a_time(mutex_);
    const std::size_t bytes = static_cast<std::size_t>(chunk.nnz()) * value_bytes_;
    if (bytes > expected_.size()) {
      claim_ = {};
      claim_ = budget_.claim("chunk that is verified", bytes);
      expected_.resize(bytes);
    }
    reference_->submit(chunk, divisors, expected_.data());
    mapping_->submit(chunk, divisors, out);
    if (!same_bits(static_cast<const std::byte*>(out), expected_.data(), bytes)) parties_.differ(values_of(chunk));
    ++parties_.count.verified;
  }

 private:
  Parties parties_;
  MemoryBudget& budget_;
  std::size_t value_bytes_;
  Claim claim_;
  std::unique_ptr<Mapping> mapping_, reference_;
  std::mutex mutex_;
  std::vector<std::byte> expected_;
};

// Sampled chunks also go through two more products, of which one is the reference: their sums are compared at the end.
class VerifiedProduct final : public Product {
 public:
  VerifiedProduct(const Parties& parties, const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget)
      : parties_(parties),
        budget_(budget),
        width_(static_cast<std::size_t>(spec.b.n_cols)),
        product_(parties.backend.open_product(spec, shape, budget)),
        reference_(parties.reference.open_product(spec, shape, budget)) {
    if (spec.transposed) sampled_ = parties.backend.open_product(spec, shape, budget);
  }

  void multiply(const CsrChunkView<MemorySpace::host>& chunk, double* rows) override {
    if (!parties_.is_sampled(parties_.count.chunks++)) return product_->multiply(chunk, rows);
    const std::scoped_lock one_at_a_time(mutex_);
    const std::size_t n = static_cast<std::size_t>(chunk.n_rows) * width_;
    if (n > expected_.size()) {
      claim_ = {};
      claim_ = budget_.claim("chunk that is verified", n * sizeof(double));
      expected_.resize(n);
    }
    reference_->multiply(chunk, expected_.data());
    product_->multiply(chunk, rows);
    if (!same_bits(static_cast<const double*>(rows), expected_.data(), n)) parties_.differ(values_of(chunk));
    ++parties_.count.verified;
  }

  void fold(const CsrChunkView<MemorySpace::host>& chunk) override {
    const bool is_sampled = parties_.is_sampled(parties_.count.chunks++);
    all_sampled_ = all_sampled_ && is_sampled;
    if (is_sampled) {
      CsrChunkView<MemorySpace::host> untouched = chunk;
      untouched.overwritable = false;
      reference_->fold(untouched);
      sampled_->fold(untouched);
      ++parties_.count.verified;
    }
    product_->fold(chunk);
  }

  // Where all chunks were sampled, what is handed on is compared itself, too.
  std::span<const double> finish() override {
    const std::span<const double> expected = reference_->finish();
    compare(sampled_->finish(), expected);
    const std::span<const double> result = product_->finish();
    if (all_sampled_) compare(result, expected);
    return result;
  }

 private:
  void compare(std::span<const double> found, std::span<const double> expected) const {
    if (found.size() != expected.size() || !same_bits(found.data(), expected.data(), found.size()))
      parties_.differ("the sums of genes over " + std::to_string(parties_.count.verified) + " chunks");
  }

  Parties parties_;
  MemoryBudget& budget_;
  std::size_t width_;
  Claim claim_;
  std::unique_ptr<Product> product_, reference_, sampled_;
  bool all_sampled_ = true;
  std::mutex mutex_;
  std::vector<double> expected_;
};

class VerifiedProducts final : public GeneProducts {
 public:
  VerifiedProducts(const Parties& parties, std::int64_t n_genes, MemoryBudget& budget)
      : parties_(parties),
        products_(parties.backend.open_gram(n_genes, budget)),
        sampled_(parties.backend.open_gram(n_genes, budget)),
        reference_(parties.reference.open_gram(n_genes, budget)) {}

  void add(const CsrChunkView<MemorySpace::host>& block) override {
    products_->add(block);
    const bool is_sampled = parties_.is_sampled(parties_.count.chunks++);
    all_sampled_ = all_sampled_ && is_sampled;
    if (!is_sampled) return;
    sampled_->add(block);
    reference_->add(block);
    n_rows_ += block.n_rows;
    ++parties_.count.verified;
  }
  std::span<double> finish() override {
    const std::span<const double> expected = reference_->finish();
    compare(sampled_->finish(), expected);
    const std::span<double> products = products_->finish();
    if (all_sampled_) compare(products, expected);
    return products;
  }
  std::span<const double> sums() const override { return products_->sums(); }

 private:
  void compare(std::span<const double> found, std::span<const double> expected) const {
    const std::size_t n = reference_->sums().size();
    const bool exact = std::all_of(expected.begin(), expected.end(), [](double x) { return x == std::rint(x) && x <= exact_products; });
    const double bound = exact ? 0 : products_bound(n_rows_);
    bool near = same_bits(sampled_->sums().data(), reference_->sums().data(), n);
    for (std::size_t i = 0; i < n && near; ++i)
      for (std::size_t j = 0; j < n && near; ++j)
        near =
            std::abs(found[i * n + j] - expected[i * n + j]) <= bound * std::sqrt(expected[i * (n + 1)]) * std::sqrt(expected[j * (n + 1)]);
    if (!near) parties_.differ("products of genes");
  }
  Parties parties_;
  std::unique_ptr<GeneProducts> products_, sampled_, reference_;
  bool all_sampled_ = true;
  std::int64_t n_rows_ = 0;
};

class VerifiedBackend final : public Backend {
 public:
  VerifiedBackend(std::unique_ptr<Backend> backend, std::unique_ptr<Backend> reference, double fraction, VerifyCount& count)
      : backend_(std::move(backend)), reference_(std::move(reference)), parties_{*backend_, *reference_, fraction, count} {}

  std::string name() const override { return backend_->name(); }
  std::string device() const override { return backend_->device(); }
  HostMemory& ring_memory() override { return backend_->ring_memory(); }
  std::int64_t chunk_nnz() const override { return backend_->chunk_nnz(); }
  std::uint64_t peak_device_bytes() const override { return backend_->peak_device_bytes(); }
  DeviceTraffic device_traffic() const override { return backend_->device_traffic(); }
  std::vector<BackendWarning> warnings() const override { return backend_->warnings(); }
  std::size_t least_bytes(const OpSpec& ops, const MatrixShape& shape) const override {
    return 2 * backend_->least_bytes(ops, shape) + reference_->least_bytes(ops, shape);
  }
  std::unique_ptr<Run> open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t reserved_bytes) override {
    return std::make_unique<VerifiedRun>(parties_, ops, shape, budget, reserved_bytes);
  }
  std::unique_ptr<Mapping> open_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape, MemoryBudget& budget) override {
    return std::make_unique<VerifiedMapping>(parties_, map, out_type, shape, budget);
  }
  std::unique_ptr<Product> open_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget) override {
    return std::make_unique<VerifiedProduct>(parties_, spec, shape, budget);
  }
  std::size_t gram_bytes(std::int64_t n_genes) const override {
    return 2 * backend_->gram_bytes(n_genes) + reference_->gram_bytes(n_genes);
  }
  std::unique_ptr<GeneProducts> open_gram(std::int64_t n_genes, MemoryBudget& budget) override {
    return std::make_unique<VerifiedProducts>(parties_, n_genes, budget);
  }

 private:
  std::unique_ptr<Backend> backend_, reference_;
  Parties parties_;
};

}  // namespace

std::unique_ptr<Backend> make_verified_backend(std::unique_ptr<Backend> backend, std::unique_ptr<Backend> reference, double fraction,
                                               VerifyCount& count) {
  return std::make_unique<VerifiedBackend>(std::move(backend), std::move(reference), fraction, count);
}

}  // namespace quern
