// How much the lanes of one pass get of the devices' memory.
#pragma once
#include <algorithm>
#include <cstdint>
#include <string>

#include "host/core/error.hpp"

namespace quern::cuda {

// What each device is asked for: lanes, and the largest piece of a chunk that one of them takes at once.
struct WorkingSet {
  int lanes;
  std::int32_t max_rows, max_nnz;

  // Fewer lanes first: two suffice to copy while computing. A piece keeps `least_nnz` entries. False: there is no less.
  bool shrink(std::int32_t least_nnz) {
    if (lanes > 2)
      lanes /= 2;
    else if (max_nnz > least_nnz)
      max_nnz = std::max(max_nnz / 2, least_nnz);
    else if (lanes > 1)
      lanes = 1;
    else
      return false;
    return true;
  }
};

inline int lanes_each(int lanes, std::size_t n_devices) { return (lanes + static_cast<int>(n_devices) - 1) / static_cast<int>(n_devices); }

// Calls allocate(set); where the devices have no room for it clear() and allocate(less), and `told` says what it came to.
template <class Allocate, class Clear>
void allocate_what_fits(WorkingSet set, std::int32_t least_nnz, std::string& told, const Allocate& allocate, const Clear& clear) {
  constexpr int most_tries = 24;
  for (int tries = 1;; ++tries) {
    try {
      allocate(set);
      if (tries > 1) told = std::to_string(set.lanes) + " lanes a device, pieces of " + std::to_string(set.max_nnz) + " values";
      return;
    } catch (const Error& error) {
      clear();
      if (error.kind() != ErrorKind::resources || tries == most_tries || !set.shrink(least_nnz)) throw;
    }
  }
}

// Calls make(lane number, device number) for `lanes` lanes of all devices together: in turn, so that those lent first are on different
// ones.
template <class Make>
void make_lanes_in_turn(const WorkingSet& set, std::size_t n_devices, int lanes, const Make& make) {
  std::size_t made = 0;
  for (int turn = 0; turn < set.lanes; ++turn)
    for (std::size_t device = 0; device < n_devices && made < static_cast<std::size_t>(lanes); ++device) make(made++, device);
}

}  // namespace quern::cuda
