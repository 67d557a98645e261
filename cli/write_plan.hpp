// --dry-run of the verbs that write a matrix.
#pragma once
#include <cstdint>
#include <string>

#include "cli/session.hpp"
#include "host/core/memory.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern::cli {

// "1 pass", "2 passes".
std::string passes_in_words(int passes);

// What the run would claim: what `budget` holds by now, and the ring. `output_bytes`: roughly, on disk.
void tell_write_plan(int passes, const std::string& output, const PipelinePlan& ring, const MemoryBudget& budget, std::int64_t output_bytes,
                     Session& session);

}  // namespace quern::cli
