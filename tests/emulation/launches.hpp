// How the launch functions of cuda/kernels/launches.hpp run where there is no device.
#pragma once
#include "cuda/kernels/dispatch.hpp"
#include "tests/emulation/grid.hpp"

namespace quern::emulation {

// A launcher for cuda/kernels/dispatch.hpp: blocks of `threads` threads (the kernel's own number on a GPU; fewer are quicker here).
struct GridLauncher {
  Schedule schedule;
  int threads = 64;
  template <class Kernel>
  void operator()(const Kernel& kernel, int blocks, std::size_t shared_bytes) const {
    Grid::run({blocks, std::min(threads, Kernel::threads), shared_bytes}, schedule, [&] {
      cuda::Block block;
      kernel(block);
    });
  }
};

// What the launch functions use. Chunks of more than `checked_nnz` entries run without the checks of accesses.
struct LaunchSettings {
  Schedule schedule;
  cuda::DeviceShape device{3, 48 * 1024};
  int threads = 64;
  std::int64_t checked_nnz = 100000;
};
LaunchSettings& launch_settings();  // change it while nothing is launched

}  // namespace quern::emulation
