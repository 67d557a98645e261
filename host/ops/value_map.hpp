// What normalising makes of one stored value: one meaning for every backend.
#pragma once
#include <limits>

#include "host/ops/host_device.hpp"
#include "host/ops/log1p.hpp"

namespace quern {

// x -> x / divisor of its row, then log1p in the given base if asked. In double, to be rounded once to the type that is written.
struct ValueMap {
  bool logarithm = true;
  double log_of_base = 1;  // natural logarithm of the base; 1: natural logarithms

  QUERN_HOST_DEVICE double operator()(double x, double divisor) const {
    const double scaled = x / divisor;
    return logarithm ? log1p_exact_order(scaled) / log_of_base : scaled;
  }
};

// What a cell's values are divided by so that they add up to `target`; as in scanpy, a cell whose factor is 0 stays as it is.
QUERN_HOST_DEVICE inline double cell_divisor(double total, double target) {
  const double factor = total / target;
  return factor == 0 ? 1.0 : factor;
}

// The value as it is written: every NaN is the same, since processors make different ones.
template <class Out>
QUERN_HOST_DEVICE Out written_value(double value) {
  return value != value ? std::numeric_limits<Out>::quiet_NaN() : static_cast<Out>(value);
}

}  // namespace quern
