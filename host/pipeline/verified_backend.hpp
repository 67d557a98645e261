// A backend whose answers are compared with another one's, bit by bit, on a share of the chunks (--verify).
#pragma once
#include <atomic>
#include <memory>

#include "host/core/backend.hpp"

namespace quern {

struct VerifyCount {
  std::atomic<std::int64_t> chunks = 0, verified = 0;
};

// Of every 1 / fraction chunks one (the first among them) is also computed by `reference`, row results are compared there and then, and
// what these chunks fold into genes at the end. A difference throws a device Error ("verify-failed"). Costs the sampled chunks three times,
// and the memory of a second run of `backend`, one of `reference` and a copy of the largest chunk. `count` outlives the backend's runs.
std::unique_ptr<Backend> make_verified_backend(std::unique_ptr<Backend> backend, std::unique_ptr<Backend> reference, double fraction,
                                               VerifyCount& count);

}  // namespace quern
