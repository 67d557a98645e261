// Products of a sparse matrix with a dense one as cuSPARSE computes them: the baseline beside our kernels.
#pragma once
#include <memory>

#include "tests/gpu/lane_data.cuh"

namespace quern::lanes {

// In float32 throughout, B and the result row after row. Needs libcusparse.so.12, opened when asked for; every call is below 2^31 entries.
// CSR_ALG2 is the quick one for this order; CSR_ALG3 is the deterministic one (not for the transpose, of which no algorithm promises that).
class SparseTimesDense {
 public:
  enum class Algorithm { alg2, alg3 };
  static bool available();
  SparseTimesDense(const ResidentChunk& chunk, const Buffer<float>& b, int width, bool transposed, Algorithm algorithm);
  ~SparseTimesDense();
  void run(cudaStream_t stream) const;
  std::vector<float> result() const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace quern::lanes
