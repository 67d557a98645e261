# What every .cu file is compiled with, beside its architectures. -fmad=false: no contraction, so that the device rounds as the host does.
set(QUERN_NVCC_FLAGS -std=c++20 --expt-relaxed-constexpr -fmad=false -Xcompiler=-ffp-contract=off)
set(QUERN_CUDA_ARCHS 80 90 100 120 CACHE STRING "compute capabilities of the GPU code, times ten")
