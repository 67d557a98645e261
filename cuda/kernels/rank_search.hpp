// By one block: the r-th largest of a row's keys for up to four r at once, digit by digit from the top (a radix search that moves nothing).
#pragma once
#include "cuda/device/group.hpp"

namespace quern::cuda {

// Key: unsigned, ordered as the values are. A search walks the row once for every five bits of the key.
template <class Key>
class RankSearch {
 public:
  static constexpr int max_ranks = 4;
  static constexpr int digit_bits = 5, key_bits = static_cast<int>(sizeof(Key)) * 8;
  static constexpr int n_digits = (key_bits + digit_bits - 1) / digit_bits;
  static constexpr Key not_negative = Key{1} << (key_bits - 1);  // keys from here up belong to values that are not below zero
  static constexpr std::size_t bytes() { return max_ranks * warp_size * sizeof(std::uint32_t); }

  QUERN_DEVICE explicit RankSearch(Block& block) : counts_(block.shared<std::uint32_t>(max_ranks * warp_size)) {}

  // Where the search for rank r ended: the r-th largest key, and how many with this very key belong to the r largest. r == 0: key is
  // the highest, equal == 0.
  struct Found {
    Key key;
    std::uint32_t equal;
  };

  // How many keys are not below `not_negative`. By the whole block, as is find. key_at(i): the i-th of n keys.
  template <class KeyAt>
  QUERN_DEVICE std::uint32_t count_not_negative(const Block& block, const Warp& warp, std::uint32_t n, const KeyAt& key_at) const {
    clear(block);
    std::uint32_t count = 0;
    for (std::uint32_t i = first(warp); i < n; i += step(warp)) {
      const std::uint32_t at = i + static_cast<std::uint32_t>(warp.lane());
      count += static_cast<std::uint32_t>(count_ones(warp.ballot(at < n && key_at(at) >= not_negative)));
    }
    if (warp.lane() == 0) counts_.atomic_add(0, count);
    block.barrier();
    count = counts_.get(0);
    block.barrier();
    return count;
  }

  // max_ranks ranks, each at most n, and as many places for what is found.
  template <class KeyAt>
  QUERN_DEVICE void find(const Block& block, const Warp& warp, std::uint32_t n, const KeyAt& key_at, const std::uint32_t* ranks,
                         Found* found) const {
    for (int j = 0; j < max_ranks; ++j) found[j] = {0, ranks[j]};
    for (int digit = n_digits - 1; digit >= 0; --digit) {
      clear(block);
      count_digit(warp, n, key_at, digit * digit_bits, found);
      block.barrier();
      for (int j = 0; j < max_ranks; ++j) descend(warp, j, digit * digit_bits, found[j]);
      block.barrier();
    }
    for (int j = 0; j < max_ranks; ++j)
      if (ranks[j] == 0) found[j] = {static_cast<Key>(~Key{0}), 0};
  }

 private:
  QUERN_DEVICE static std::uint32_t first(const Warp& warp) { return static_cast<std::uint32_t>(warp.index() * warp_size); }
  QUERN_DEVICE static std::uint32_t step(const Warp& warp) { return static_cast<std::uint32_t>(warp.count() * warp_size); }

  QUERN_DEVICE void clear(const Block& block) const {
    for (int i = block.thread(); i < max_ranks * warp_size; i += block.threads()) counts_.set(i, 0);
    block.barrier();
  }

  // Counts the digits of the keys whose higher digits are those found so far; lane d the digit d.
  template <class KeyAt>
  QUERN_DEVICE void count_digit(const Warp& warp, std::uint32_t n, const KeyAt& key_at, int shift, const Found* found) const {
    std::uint32_t count[max_ranks] = {};
    for (std::uint32_t i = first(warp); i < n; i += step(warp)) {
      const std::uint32_t at = i + static_cast<std::uint32_t>(warp.lane());
      const Key key = at < n ? key_at(at) : Key{0};
      const BitPlanes<digit_bits> planes(warp, static_cast<std::uint32_t>(key >> shift));
      const std::uint32_t mine = planes.equal_to(static_cast<std::uint32_t>(warp.lane()));
      for (int j = 0; j < max_ranks; ++j) {
        const std::uint32_t candidates = warp.ballot(at < n && same_above(key, found[j].key, shift));
        count[j] += static_cast<std::uint32_t>(count_ones(mine & candidates));
      }
    }
    for (int j = 0; j < max_ranks; ++j)
      if (count[j]) counts_.atomic_add(j * warp_size + warp.lane(), count[j]);
  }
  QUERN_DEVICE static bool same_above(Key a, Key b, int shift) {
    return shift + digit_bits >= key_bits || a >> (shift + digit_bits) == b >> (shift + digit_bits);
  }

  // Takes the digit in which the rank falls. By every warp, each for itself.
  QUERN_DEVICE void descend(const Warp& warp, int j, int shift, Found& found) const {
    const Group<warp_size> group(warp);
    const std::uint32_t here = counts_.get(j * warp_size + warp.lane());
    const std::uint32_t from = group.suffix_sum(here), above = from - here;
    const std::uint32_t falls = warp.ballot(found.equal > above && found.equal <= from);
    if (falls == 0) return;  // rank 0
    const int digit = lowest_one(falls);
    found.key |= static_cast<Key>(digit) << shift;
    found.equal -= warp.shuffle(above, digit);
  }

  Shared<std::uint32_t> counts_;
};

}  // namespace quern::cuda
