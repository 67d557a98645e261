// The only door from a kernel to the machine it runs on: Block, Warp, Shared<T>, loads, stores and atomic additions. Two machines offer
// this vocabulary: a GPU (cuda/device/gpu.cuh) and the model of one on the CPU (tests/emulation/include), which checks every access.
#pragma once

#if defined(__CUDACC__)
#include "cuda/device/gpu.cuh"
#else
#include "cuda/device/emulated.hpp"
#endif
