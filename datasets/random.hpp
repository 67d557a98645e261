// Counter-based random numbers: a stream is a pure function of its key, so any cell can be made on any thread at any time.
// Integer arithmetic, and IEEE additions and multiplications in a fixed order: the same everywhere.
#pragma once
#include <cstdint>

#include "datasets/portable_math.hpp"

namespace quern::datasets {

constexpr std::uint64_t mix_bits(std::uint64_t x) {  // SplitMix64's finalizer
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// What a stream is for; streams of different purposes are independent.
enum class Purpose : std::uint64_t { genes = 1, order, programmes, clusters, samples, cell_size, cell_type, cell_reads };

class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t index)
      : state_(mix_bits(mix_bits(seed + 0x632be59bd9b4e019ULL) ^ (static_cast<std::uint64_t>(purpose) << 56) ^ mix_bits(~index))) {}

  std::uint64_t bits() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix_bits(state_);
  }
  // 0 .. n - 1; n below 2^32.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(((bits() >> 32) * n) >> 32); }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }  // [0, 1)
  // Close to the standard normal: twelve 16-bit uniforms, |z| < 6.
  double normal() {
    std::uint64_t sum = 0;
    for (int word = 0; word < 3; ++word)
      for (std::uint64_t left = bits(), part = 0; part < 4; ++part, left >>= 16) sum += left & 0xffff;
    return static_cast<double>(static_cast<std::int64_t>(sum) - 6 * 65535) * (1.0 / 65536.0);
  }
  double log_normal(double sigma) { return portable_exp(sigma * normal()); }

 private:
  std::uint64_t state_;
};

}  // namespace quern::datasets
