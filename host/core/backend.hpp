// The door to the machinery that computes: one virtual call per chunk.
#pragma once
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/csr_chunk.hpp"
#include "host/core/memory.hpp"

namespace quern {

struct OpSpec;
struct ProductSpec;
struct ValueMap;

// A sum: an exact integer in integer mode, a correctly rounded double otherwise. Which of the two is the run's, not the value's.
union Total {
  std::int64_t whole;
  double real;
};

// Row results of one chunk; arrays of n_rows (top: n_rows x n_top, sets: n_rows x n_sets, row after row). Memory belongs to the slot.
struct RowBlock {
  RowRange rows;
  bool integer_mode = true;
  int n_top = 0, n_sets = 0;
  std::int32_t* n_nonzero = nullptr;
  Total* totals = nullptr;
  Total* top = nullptr;
  Total* sets = nullptr;
  static std::size_t bytes_per_row(int n_top, int n_sets) {
    return sizeof(std::int32_t) + sizeof(Total) * static_cast<std::size_t>(1 + n_top + n_sets);
  }
};

// Per-gene results of a whole pass.
struct ColumnResults {
  bool integer_mode = true;
  std::vector<std::int64_t> n_nonzero;
  std::vector<Total> totals;
  Total grand_total{};                                           // of all values, rounded once
  std::vector<double> mean, var, mean_log1p_cpm, var_log1p_cpm;  // empty unless moments were asked for

  void resize(std::size_t n_vars, bool moments) {
    n_nonzero.resize(n_vars);
    totals.resize(n_vars);
    if (!moments) return;
    for (auto* values : {&mean, &var, &mean_log1p_cpm, &var_log1p_cpm}) values->resize(n_vars);
  }
};

class NeedsGeneralMode : public std::exception {
 public:
  const char* what() const noexcept override { return "values are not all whole numbers below 2^31"; }
};

// One pass. `submit` may be called from several threads at once, on different chunks; results do not depend on the order.
class Run {
 public:
  virtual ~Run() = default;
  // Once, before the first submit: what the largest chunk holds. Allocates what depends on it.
  virtual void prepare(const SlotShape&) {}
  // Computes the chunk's row results into `rows` and folds it into the column state. Returns when `rows` is complete.
  virtual void submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) = 0;
  virtual ColumnResults finish() = 0;  // after the last submit has returned
};

// One pass that replaces values by others (host/ops/value_map.hpp). `submit` may be called from several threads at once.
class Mapping {
 public:
  virtual ~Mapping() = default;
  // out[i] = what value i of the chunk becomes with the divisor of its row, of the mapping's type. `out` may be the chunk's own values if
  // that type is no wider than theirs. Returns when `out` is complete.
  virtual void submit(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, void* out) = 0;
};

// One pass that multiplies with a dense matrix (host/ops/product.hpp). Either `multiply`, or `fold` and `finish`, as the product was
// opened.
class Product {
 public:
  virtual ~Product() = default;
  // X times B: the chunk's rows of the result, n_rows x b.n_cols. Concurrent, on different chunks. Returns when `rows` is complete.
  virtual void multiply(const CsrChunkView<MemorySpace::host>& chunk, double* rows) = 0;
  // X transposed times B: adds the chunk's part. Serial, in row order, every chunk.
  virtual void fold(const CsrChunkView<MemorySpace::host>& chunk) = 0;
  // The result, n_cols x b.n_cols, after the last fold. Valid as long as the product.
  virtual std::span<const double> finish() = 0;
};

// One pass that sums products of genes with genes. Of whole numbers whose sums fit a double the results are exact and the same from every
// backend. Of others a backend's are the same from run to run whatever threads and chunks, and a product of genes i and j is within
// products_bound(n_rows) times the root of the products of i and of j with themselves of any other backend's (host/ops/gram.hpp).
class GeneProducts {
 public:
  virtual ~GeneProducts() = default;
  // The next gram_block_rows(n_genes) rows (host/ops/gram.hpp), or the last ones; columns are genes. One block at a time.
  virtual void add(const CsrChunkView<MemorySpace::host>& block) = 0;
  // After the last block, once: the symmetric matrix, n_genes x n_genes, whose memory stays this object's.
  virtual std::span<double> finish() = 0;
  virtual std::span<const double> sums() const = 0;  // of each gene's values
};

struct BackendWarning {
  std::string code, text;
};

// What went over the link to devices and back; `seconds` from the first chunk handed over to the last one's results.
struct DeviceTraffic {
  std::uint64_t bytes_to_device = 0, bytes_to_host = 0;
  double seconds = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string name() const = 0;                          // "cpu", "cuda"
  virtual std::string device() const = 0;                        // what computes, in words
  virtual HostMemory& ring_memory() = 0;                         // where slots should live
  virtual std::int64_t chunk_nnz() const { return 1 << 18; }     // stored values in a chunk that suits it
  virtual std::uint64_t peak_device_bytes() const { return 0; }  // of the device that used most, so far
  virtual DeviceTraffic device_traffic() const { return {}; }
  virtual std::vector<BackendWarning> warnings() const { return {}; }  // of what it met, after a run
  // The least that open claims for this operation.
  virtual std::size_t least_bytes(const OpSpec& ops, const MatrixShape& shape) const = 0;
  // Leaves `reserved_bytes` of the budget for the ring, unless that would leave less than least_bytes.
  virtual std::unique_ptr<Run> open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t reserved_bytes) = 0;
  // A pass whose results are of type `out_type`; `shape.nnz` is an upper bound.
  virtual std::unique_ptr<Mapping> open_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape,
                                                MemoryBudget& budget) = 0;
  // A product. `b` outlives it. Claims what a transposed one adds up ("result of the product") and what it needs beside.
  virtual std::unique_ptr<Product> open_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget) = 0;
  virtual std::size_t gram_bytes(std::int64_t n_genes) const = 0;  // that open_gram claims
  virtual std::unique_ptr<GeneProducts> open_gram(std::int64_t n_genes, MemoryBudget& budget) = 0;
};

}  // namespace quern
