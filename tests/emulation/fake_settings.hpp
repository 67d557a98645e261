// What the fake runtime is told by its environment; the program itself reads none of this.
//   QUERN_FAKE_CUDA=WORD,WORD...   devices=N  memory=MIB (of each)  pool=KIB (its pieces)  driver=none|old|mismatch|unavailable
//   mode=prohibited|busy|busy:DEVICE  major=N
//   libraries=none (cuBLAS cannot be opened)
//                                  fail=KIND:N:CODE (the Nth call of that kind returns this cudaError_t; KIND * is any; N+ and all later)
//                                  flip=copy_down:N (the Nth copy to the host arrives with a wrong bit)
//   QUERN_FAKE_CUDA_LOG=PATH       at the end: calls of each kind, peak device bytes, what was not given back
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace quern::cuda::fake {

struct PlannedFailure {
  std::string kind;
  std::int64_t nth = 0;
  bool and_later = false;
  int code = 0;
};

struct FakeSettings {
  int devices = 1, major = 9;
  std::size_t memory_bytes = std::size_t{256} << 20;
  std::size_t pool_bytes = 1;
  std::string driver, mode, libraries, log_path;
  std::vector<PlannedFailure> failures;
  std::int64_t flipped_copy = 0;  // 0: none
};

FakeSettings read_fake_settings();  // ends the process when it cannot make sense of them

}  // namespace quern::cuda::fake
