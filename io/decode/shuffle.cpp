#include <cstring>

#include "io/decode/codecs.hpp"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace quern::io {
namespace {

// Elements first .. n of the interleaving, any element size.
void interleave_tail(const std::byte* in, std::byte* out, std::size_t n, std::size_t element_bytes, std::size_t first) {
  for (std::size_t k = 0; k < element_bytes; ++k) {
    const std::byte* plane = in + k * n;
    for (std::size_t i = first; i < n; ++i) out[i * element_bytes + k] = plane[i];
  }
}

#ifdef __SSE2__
__m128i load(const std::byte* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }
void store(std::byte* to, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), v); }

// 16 elements at a time; returns how many were done.
std::size_t interleave_2(const std::byte* in, std::byte* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i a = load(in + i), b = load(in + n + i);
    store(out + 2 * i, _mm_unpacklo_epi8(a, b));
    store(out + 2 * i + 16, _mm_unpackhi_epi8(a, b));
  }
  return i;
}

std::size_t interleave_4(const std::byte* in, std::byte* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m128i a = load(in + i), b = load(in + n + i), c = load(in + 2 * n + i), d = load(in + 3 * n + i);
    const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
    const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
    std::byte* to = out + 4 * i;
    store(to, _mm_unpacklo_epi16(ab_low, cd_low));
    store(to + 16, _mm_unpackhi_epi16(ab_low, cd_low));
    store(to + 32, _mm_unpacklo_epi16(ab_high, cd_high));
    store(to + 48, _mm_unpackhi_epi16(ab_high, cd_high));
  }
  return i;
}

std::size_t interleave_8(const std::byte* in, std::byte* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    __m128i words[2][4];  // words[half][pair]: bytes 2 pair and 2 pair + 1 of elements 0..7 (half 0) or 8..15
    for (std::size_t pair = 0; pair < 4; ++pair) {
      const __m128i even = load(in + 2 * pair * n + i), odd = load(in + (2 * pair + 1) * n + i);
      words[0][pair] = _mm_unpacklo_epi8(even, odd);
      words[1][pair] = _mm_unpackhi_epi8(even, odd);
    }
    for (std::size_t half = 0; half < 2; ++half) {
      const __m128i* w = words[half];
      const __m128i front_low = _mm_unpacklo_epi16(w[0], w[1]), front_high = _mm_unpackhi_epi16(w[0], w[1]);
      const __m128i back_low = _mm_unpacklo_epi16(w[2], w[3]), back_high = _mm_unpackhi_epi16(w[2], w[3]);
      std::byte* to = out + 8 * i + 64 * half;
      store(to, _mm_unpacklo_epi32(front_low, back_low));
      store(to + 16, _mm_unpackhi_epi32(front_low, back_low));
      store(to + 32, _mm_unpacklo_epi32(front_high, back_high));
      store(to + 48, _mm_unpackhi_epi32(front_high, back_high));
    }
  }
  return i;
}
#endif

}  // namespace

void unshuffle(std::span<const std::byte> in, std::span<std::byte> out, std::size_t element_bytes) {
  const std::size_t n = in.size() / element_bytes;
  std::size_t done = 0;
#ifdef __SSE2__
  if (element_bytes == 2) done = interleave_2(in.data(), out.data(), n);
  if (element_bytes == 4) done = interleave_4(in.data(), out.data(), n);
  if (element_bytes == 8) done = interleave_8(in.data(), out.data(), n);
#endif
  interleave_tail(in.data(), out.data(), n, element_bytes, done);
  const std::size_t whole = n * element_bytes;
  if (whole < in.size()) std::memcpy(out.data() + whole, in.data() + whole, in.size() - whole);
}

}  // namespace quern::io
