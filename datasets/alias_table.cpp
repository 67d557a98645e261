#include "datasets/alias_table.hpp"

#include <algorithm>

namespace quern::datasets {

AliasTable::AliasTable(std::span<const std::uint32_t> items, std::span<const double> weights) : slots_(items.size()) {
  double total = 0;
  for (const double weight : weights) total += weight;
  std::vector<double> share;  // times the number of items: 1 on average
  std::vector<std::uint32_t> small, large;
  for (std::uint32_t i = 0; i < items.size(); ++i) {
    share.push_back(weights[i] * static_cast<double>(items.size()) / total);
    (share[i] < 1.0 ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back(), rich = large.back();
    small.pop_back();
    slots_[poor] = {static_cast<std::uint32_t>(std::min(share[poor] * 0x1p32, 0xffffffffp0)), items[poor], items[rich]};
    share[rich] -= 1.0 - share[poor];
    if (share[rich] < 1.0) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  for (const auto* rest : {&small, &large})
    for (const std::uint32_t i : *rest) slots_[i] = {0xffffffffU, items[i], items[i]};
}

}  // namespace quern::datasets
