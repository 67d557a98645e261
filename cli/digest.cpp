#include "cli/digest.hpp"

#include <xxhash.h>

#include <array>
#include <cmath>
#include <limits>
#include <new>
#include <vector>

namespace quern::cli {
namespace {

double canonical(double value) { return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value + 0.0; }

std::string hexadecimal(const XXH128_canonical_t& hash) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : hash.digest) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

}  // namespace

struct ArrayHash::State {
  XXH3_state_t* hash = XXH3_createState();
  State() {
    if (!hash) throw std::bad_alloc();
  }
  ~State() { XXH3_freeState(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

ArrayHash::ArrayHash() : state_(std::make_unique<State>()) { restart(); }
ArrayHash::~ArrayHash() = default;
ArrayHash::ArrayHash(ArrayHash&&) noexcept = default;
ArrayHash& ArrayHash::operator=(ArrayHash&&) noexcept = default;

void ArrayHash::restart() { XXH3_128bits_reset(state_->hash); }
void ArrayHash::add_bytes(const void* data, std::size_t bytes) { XXH3_128bits_update(state_->hash, data, bytes); }
void ArrayHash::add(std::span<const std::int32_t> values) { add_bytes(values.data(), values.size_bytes()); }
void ArrayHash::add(std::span<const std::int64_t> values) { add_bytes(values.data(), values.size_bytes()); }

void ArrayHash::add(std::span<const double> values) {
  std::array<double, 512> block;
  while (!values.empty()) {
    const auto part = values.first(std::min(values.size(), block.size()));
    for (std::size_t i = 0; i < part.size(); ++i) block[i] = canonical(part[i]);
    add_bytes(block.data(), part.size_bytes());
    values = values.subspan(part.size());
  }
}

void ArrayHash::add(std::span<const Total> values, bool integer_mode) {
  if (integer_mode) return add_bytes(values.data(), values.size_bytes());
  std::array<double, 512> block;
  while (!values.empty()) {
    const auto part = values.first(std::min(values.size(), block.size()));
    for (std::size_t i = 0; i < part.size(); ++i) block[i] = canonical(part[i].real);
    add_bytes(block.data(), part.size() * sizeof(double));
    values = values.subspan(part.size());
  }
}

std::string combined_digest(std::span<const ArrayHash> arrays) {
  std::vector<XXH128_canonical_t> parts(arrays.size());
  for (std::size_t i = 0; i < arrays.size(); ++i) XXH128_canonicalFromHash(&parts[i], XXH3_128bits_digest(arrays[i].state_->hash));
  XXH128_canonical_t whole;
  XXH128_canonicalFromHash(&whole, XXH3_128bits(parts.data(), parts.size() * sizeof parts[0]));
  return hexadecimal(whole);
}

}  // namespace quern::cli
