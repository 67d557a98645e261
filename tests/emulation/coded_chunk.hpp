// A chunk as the host has it, and coded in device memory in one of the ways that cuda/kernels/chunk_args.hpp knows.
#pragma once
#include <cstddef>
#include <vector>

#include "cuda/kernels/chunk_args.hpp"
#include "tests/emulation/device_memory.hpp"
#include "tests/support/memory_source.hpp"

namespace quern::emulation {

struct HostChunk {
  HostChunk(const test::Rows& rows, std::size_t first, std::size_t last);
  explicit HostChunk(const CsrChunkView<MemorySpace::host>& chunk);
  std::vector<std::int32_t> offsets{0};
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
  ChunkFacts facts;
};

struct Codes {
  cuda::ColumnCode columns = cuda::ColumnCode::u32;
  cuda::ValueCode values = cuda::ValueCode::f32;
};

class CodedChunk {
 public:
  CodedChunk(const HostChunk& chunk, std::uint32_t n_cols, const Codes& codes);
  cuda::DeviceChunk view() const { return view_; }

 private:
  DeviceArray<std::int32_t> offsets_;
  DeviceArray<std::byte> columns_, values_;
  DeviceArray<cuda::Escape> escapes_;
  cuda::DeviceChunk view_;
};

}  // namespace quern::emulation
