// Marks functions that both the host and the device compile.
#pragma once

#if defined(__CUDACC__)
#define QUERN_HOST_DEVICE __host__ __device__
#else
#define QUERN_HOST_DEVICE
#endif

// Before a long loop that a device is not to unroll, which costs registers there.
#if defined(__CUDA_ARCH__)
#define QUERN_NO_UNROLL _Pragma("unroll 1")
#else
#define QUERN_NO_UNROLL
#endif
