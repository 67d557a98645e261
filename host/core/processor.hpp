// What vector instructions this processor has. For code compiled for several widths (Highway) that is chosen at run time: asked of the
// compiler's run-time library and not of Highway's, which measures the processor's clock when it is loaded (2.5 ms of every start).
#pragma once
#include <vector>

namespace quern {

#if defined(__x86_64__)
// Everything that Highway's AVX2 target may use that is not in every AVX2 processor.
inline bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"); }
inline bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd");
}
#else
inline bool has_avx2() { return false; }
inline bool has_avx512() { return false; }
#endif

// The versions of some functions that this processor can run, the widest first; `baseline`, which is for all, is the last. `function` is
// one of a version's functions: null where the compiler made none for these instructions.
template <class Target, class Function>
std::vector<Target> usable_targets(Function Target::*function, const Target& avx512, const Target& avx2, const Target& baseline) {
  std::vector<Target> targets;
  if (has_avx512() && avx512.*function) targets.push_back(avx512);
  if (has_avx2() && avx2.*function) targets.push_back(avx2);
  targets.push_back(baseline);
  return targets;
}

}  // namespace quern
