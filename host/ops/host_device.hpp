// Marks functions that both the host and the device compile.
#pragma once

#if defined(__CUDACC__)
#define QUERN_HOST_DEVICE __host__ __device__
#else
#define QUERN_HOST_DEVICE
#endif
