// Draws an item with a probability proportional to its weight, in constant time and integers (Walker's alias method, Vose's set-up).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace quern::datasets {

class AliasTable {
 public:
  AliasTable() = default;
  // Item i is items[i]; weights are not negative and not all zero; as many as items, at least one, fewer than 2^31.
  AliasTable(std::span<const std::uint32_t> items, std::span<const double> weights);
  // `random` is 32 fresh random bits.
  std::uint32_t draw(std::uint32_t random) const {
    const std::uint64_t product = static_cast<std::uint64_t>(random) * slots_.size();
    const Slot& slot = slots_[product >> 32];
    return static_cast<std::uint32_t>(product) < slot.keep_below ? slot.item : slot.other;
  }
  bool empty() const { return slots_.empty(); }
  std::size_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t keep_below = 0, item = 0, other = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace quern::datasets
