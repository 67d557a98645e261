// Prefix codes as deflate has them (RFC 1951, 3.2.2): canonical, written from their highest bit on.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace quern::io {

// Lengths of an optimal code for these frequencies, or nearly so where `longest` bits do not suffice for that: 0 for what does not occur.
// At least two symbols occur, at most 288, and 2^longest of them could be told apart.
void choose_code_lengths(std::span<const std::uint32_t> frequencies, unsigned longest, std::span<std::uint8_t> lengths);

// The codes that go with the lengths, their bits turned around, as a bit writer that begins with the lowest bit needs them.
void assign_codes(std::span<const std::uint8_t> lengths, std::span<std::uint16_t> codes);

template <std::size_t Size>
struct PrefixCode {
  std::array<std::uint32_t, Size> frequencies{};
  std::array<std::uint8_t, Size> lengths{};
  std::array<std::uint16_t, Size> codes{};

  void build(unsigned longest) {
    choose_code_lengths(frequencies, longest, lengths);
    assign_codes(lengths, codes);
  }
};

}  // namespace quern::io
