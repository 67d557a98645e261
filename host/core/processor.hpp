// What vector instructions this processor has. For code compiled for several widths (Highway) that is chosen at run time: asked of the
// compiler's run-time library and not of Highway's, which measures the processor's clock when it is loaded (2.5 ms of every start).
#pragma once

namespace quern {

#if defined(__x86_64__)
// Everything that Highway's AVX2 target may use that is not in every AVX2 processor.
inline bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"); }
inline bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd");
}
#endif

}  // namespace quern
