// What a principal component is told as.
#pragma once
#include <cmath>
#include <cstdint>
#include <span>

namespace quern {

// Whether a component's loadings are to be turned over: the one of largest magnitude (the first of such) becomes positive, as scikit-learn
// does it since 1.5.
inline bool is_turned(std::span<const double> loadings) {
  double largest = 0;
  for (const double loading : loadings)
    if (std::abs(loading) > std::abs(largest)) largest = loading;
  return largest < 0;
}

// As in scanpy: what is asked for where nothing is said.
constexpr std::int64_t usual_components = 50;

}  // namespace quern
