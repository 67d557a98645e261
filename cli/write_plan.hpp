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

struct WritePlan {
  int passes = 1;
  std::string output;
  std::int64_t output_bytes = 0;                   // roughly, on disk
  std::size_t cache_bytes = 0, decoded_bytes = 0;  // what may be kept between the passes; what there is to keep, roughly
};

// What the run would claim: what `budget` holds by now, the ring, the cache.
void tell_write_plan(const WritePlan& plan, const PipelinePlan& ring, const MemoryBudget& budget, Session& session);
// Of verbs that keep nothing between passes.
inline void tell_write_plan(int passes, const std::string& output, const PipelinePlan& ring, const MemoryBudget& budget,
                            std::int64_t output_bytes, Session& session) {
  tell_write_plan({passes, output, output_bytes}, ring, budget, session);
}

}  // namespace quern::cli
