// --dry-run of the verbs that write a matrix.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "host/core/memory.hpp"
#include "host/pipeline/pipeline.hpp"
#include "io/file_info.hpp"

namespace quern::cli {

// "1 pass", "2 passes".
std::string passes_in_words(int passes);

// Claims of `trial` all that a run claims at the same time at most, one stage after the other; the ring that is left room for. Throws
// resource_error where that is too little.
using TakeAll = std::function<PipelinePlan(MemoryBudget& trial)>;

struct WritePlan {
  int passes = 1;
  std::string output;
  std::int64_t output_bytes = 0;                   // roughly, on disk
  std::size_t cache_bytes = 0, decoded_bytes = 0;  // what may be kept between the passes; what there is to keep, roughly
  std::size_t kept_bytes = 0;                      // claimed by now
};

// Least memory with which `take` does not throw, in whole MiB.
std::size_t least_memory(const TakeAll& take, std::size_t kept_bytes);

// What the run would do with the memory given, or, where that is too little, with the least that will do.
void tell_write_plan(const WritePlan& plan, const TakeAll& take, Session& session);

// Of verbs that keep nothing between passes and know no least: what the run would claim is what `budget` holds by now, and the ring.
void tell_write_plan(int passes, const std::string& output, const PipelinePlan& ring, const MemoryBudget& budget, std::int64_t output_bytes,
                     Session& session);

// The same of several outputs; those that are empty are none.
void tell_write_plan(int passes, std::vector<std::string> outputs, const PipelinePlan& ring, const MemoryBudget& budget,
                     std::int64_t output_bytes, Session& session);

// Bytes of the stored chunks of a matrix that are on their way at once where they are copied as they are.
std::size_t copied_bytes(const io::MatrixInfo& matrix);

}  // namespace quern::cli
