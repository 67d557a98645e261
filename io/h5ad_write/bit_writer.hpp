// Bits on their way into bytes, the lowest first.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace quern::io {

class BitWriter {
 public:
  explicit BitWriter(std::span<std::byte> out) : out_(out) {}

  // Bits that may still be put; of no use to others are the last eight bytes.
  std::size_t room() const { return out_.size() < used_ + 16 ? 0 : (out_.size() - used_ - 16) * 8; }
  // At most 48 bits, those above `n` 0. The caller has looked at room().
  void put(std::uint64_t value, unsigned n) {
    bits_ |= value << n_bits_;
    n_bits_ += n;
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(out_.data() + used_, &bits_, sizeof bits_);
    const unsigned whole = n_bits_ / 8;
    used_ += whole;
    bits_ >>= whole * 8;
    n_bits_ &= 7;
  }
  // Zeros up to the next byte.
  void fill_byte() {
    if (n_bits_ > 0) put(0, 8 - n_bits_);
  }
  std::size_t finish() {
    fill_byte();
    return used_;
  }

 private:
  std::span<std::byte> out_;
  std::size_t used_ = 0;
  std::uint64_t bits_ = 0;  // fewer than 8 between calls
  unsigned n_bits_ = 0;
};

}  // namespace quern::io
