// The digest of a run: one number that says whether two runs gave the same bits.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "host/core/backend.hpp"

namespace quern::cli {

// Running xxh3-128 of one array, fed in row order.
class ArrayHash {
 public:
  ArrayHash();
  ~ArrayHash();
  ArrayHash(ArrayHash&&) noexcept;
  ArrayHash& operator=(ArrayHash&&) noexcept;

  void restart();
  void add(std::span<const std::int32_t> values);
  void add(std::span<const std::int64_t> values);
  void add(std::span<const double> values);  // every NaN counts as the same, -0 as 0
  void add(std::span<const Total> values, bool integer_mode);
  void add_bits(std::span<const std::byte> bits) { add_bytes(bits.data(), bits.size()); }  // as they are

 private:
  friend std::string combined_digest(std::span<const ArrayHash> arrays);
  void add_bytes(const void* data, std::size_t bytes);
  struct State;
  std::unique_ptr<State> state_;
};

// xxh3-128 of the arrays' hashes (big-endian, in order), as 32 hexadecimal digits.
std::string combined_digest(std::span<const ArrayHash> arrays);

}  // namespace quern::cli
