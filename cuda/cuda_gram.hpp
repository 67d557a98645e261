// Products of genes with genes on a device: rows written out in tiles, multiplied by cuBLAS.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/cuda_run.hpp"
#include "cuda/dense_library.hpp"
#include "cuda/lane_stream.hpp"

namespace quern::cuda {

class DenseHandle {
 public:
  // Of the current device. Throws Error: no-cublas.
  explicit DenseHandle(const std::string& device);
  DenseHandle(const DenseHandle&) = delete;
  DenseHandle& operator=(const DenseHandle&) = delete;
  ~DenseHandle() { static_cast<void>(dense::destroy(handle_)); }
  dense::Handle get() const { return handle_; }

 private:
  dense::Handle handle_ = nullptr;
};

// What one copy of entries to the device uses, on both sides of the link.
struct GramPiece {
  std::int32_t* offsets;
  std::uint32_t* columns;
  std::byte* values;
};

// Uses one device, the first: blocks are added in one order, so that sums are the same from run to run.
class CudaGram final : public GeneProducts {
 public:
  CudaGram(std::int64_t n_genes, const RunRoom& room, MemoryBudget& budget);
  ~CudaGram() override { static_cast<void>(runtime::synchronize_stream(stream_.get())); }  // copies may be on their way
  static std::size_t host_bytes(std::int64_t n_genes);                                     // that it claims

  void add(const CsrChunkView<MemorySpace::host>& block) override;
  std::span<double> finish() override;
  std::span<const double> sums() const override { return sums_; }

 private:
  struct Piece {
    GramPiece host, device;
    OwnedEvent copied;
  };
  struct Buffers {
    std::array<GramPiece, 2> pieces;
    double *tile, *products;
    std::byte* workspace;
  };
  static Buffers carve(std::int64_t n_genes, Carver& carver);
  static std::size_t device_bytes(std::int64_t n_genes);
  void send(const CsrChunkView<MemorySpace::host>& block, std::int32_t first, std::int32_t last);
  void check_call(Status status, const char* what) const { check(status, device_.memory.device(), what); }

  std::int64_t n_genes_;
  Device& device_;
  TrafficMeter& traffic_;
  HostBlock staging_, result_;
  std::vector<double> sums_;
  OwnedStream stream_;
  DenseHandle handle_;
  DeviceBlock block_;
  Buffers buffers_;
  std::vector<Piece> pieces_;
  std::size_t next_ = 0;
};

}  // namespace quern::cuda
