// What normalising makes of one stored value: one meaning for every backend.
#pragma once
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

}  // namespace quern
