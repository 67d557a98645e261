// The same statistics as others compute them, and once more plainly, to check results by.
#pragma once
#include <memory>

#include "tests/gpu/lane_data.cuh"

namespace quern::lanes {

// Sums and counts in 64-bit integers: slow, plain, right.
struct PlainQc {
  std::vector<unsigned long long> row_totals, gene_totals, gene_counts;
};
PlainQc plain_qc(const ResidentChunk& chunk, cudaStream_t stream);

// One thread a cell, which walks its row and adds every value to its gene with two global atomics, sums in single precision: the shape
// of the released GPU peer's kernel, written from its description.
class ThreadPerRow {
 public:
  explicit ThreadPerRow(const ResidentChunk& chunk, const std::uint32_t* gene_sets);
  void clear(cudaStream_t stream) const;
  void run(cudaStream_t stream) const;
  std::vector<float> gene_totals() const { return gene_totals_.to_host(); }

 private:
  const ResidentChunk& chunk_;
  const std::uint32_t* gene_sets_;
  Buffer<float> row_totals_, set_totals_, gene_totals_;
  Buffer<int> row_counts_, gene_counts_;
};

// Row and gene totals as two products with a vector of ones (no counts). Needs libcusparse.so.12, opened when asked for.
class SpmvPair {
 public:
  static bool available();
  explicit SpmvPair(const ResidentChunk& chunk);
  ~SpmvPair();
  void run(cudaStream_t stream) const;
  std::vector<float> gene_totals() const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace quern::lanes
