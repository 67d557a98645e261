// Which devices a build has code for.
#pragma once
#include <span>

namespace quern::cuda {

// archs: compute capabilities times ten that were compiled for, ascending; the last also as PTX, which later devices translate for
// themselves. Code for a capability runs on the same major version from that minor on.
inline bool has_code_for(std::span<const int> archs, int major, int minor) {
  for (const int arch : archs)
    if (arch / 10 == major && arch % 10 <= minor) return true;
  return !archs.empty() && archs.back() <= 10 * major + minor;
}

}  // namespace quern::cuda
