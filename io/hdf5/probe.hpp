// HDF5 1.10 crashes, loops or allocates without bounds on damaged metadata. So the same work is first done in a forked child, which has
// limits on processor time and memory and may die without harm.
#pragma once
#include <cstddef>
#include <functional>
#include <string>

namespace quern::io {

struct ProbeLimits {
  unsigned cpu_seconds = 3;
  std::size_t memory_bytes = std::size_t{1} << 30;  // on top of what the process has mapped; not enforced under sanitizers
};

// Limits for a file of this size.
ProbeLimits probe_limits(std::size_t file_bytes);

// Runs `work` in a child and returns its result. A quern::Error thrown by it is thrown here; the child's death by a signal or by a
// limit is input_error("corrupt-hdf5"). The child prints nothing and leaves nothing behind. Call it while the process has one thread.
// Throws Interrupted when the child was ended by SIGINT, SIGTERM or SIGHUP, resource_error("no-process") when there can be no child.
std::string run_in_probe(const std::function<std::string()>& work, const ProbeLimits& limits);

}  // namespace quern::io
