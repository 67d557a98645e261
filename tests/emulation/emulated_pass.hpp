// One pass of the kernels over chunks that lie in host memory: codes each chunk, runs the kernels, fetches the results. emulated_pass.cpp
// does it on the model of a device, tests/gpu/device_pass.cpp on a device.
#pragma once
#include <memory>

#include "host/core/backend.hpp"
#include "host/ops/op_spec.hpp"
#include "tests/emulation/coded_chunk.hpp"
#include "tests/emulation/launches.hpp"

namespace quern::emulation {

class EmulatedPass {
 public:
  static std::unique_ptr<EmulatedPass> make(const OpSpec& ops, std::uint32_t n_cols, const cuda::DeviceShape& device);
  virtual ~EmulatedPass() = default;
  // The row results into `rows`, whose arrays hold chunk rows; the rest into the gene tables. One thread at a time.
  virtual void fold(const HostChunk& chunk, const Codes& codes, const GridLauncher& launcher, const RowBlock& rows) = 0;
  virtual void carry(const GridLauncher& launcher) = 0;  // between the limbs of real passes
  virtual ColumnResults finish(std::int64_t n_rows) const = 0;
};

// What the kernel makes of the chunk's values, as the bytes of `out_type`; `divisors`: one a row.
std::vector<std::byte> mapped_values(const CodedChunk& chunk, const std::vector<double>& divisors, const ValueMap& map, ValueType out_type,
                                     const GridLauncher& launcher);

}  // namespace quern::emulation
