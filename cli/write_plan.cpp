#include "cli/write_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/sizes.hpp"

namespace quern::cli {

std::string passes_in_words(int passes) { return passes == 1 ? "1 pass" : std::to_string(passes) + " passes"; }

void tell_write_plan(int passes, const std::string& output, const PipelinePlan& ring, const MemoryBudget& budget, std::int64_t output_bytes,
                     Session& session) {
  const std::size_t kept = budget.limit() - budget.available();
  std::vector<std::string> outputs{output};
  if (!session.options.json.empty()) outputs.push_back(session.options.json);
  session.report.result()["plan"] = {{"passes", passes},
                                     {"chunks", ring.source.n_chunks},
                                     {"threads", ring.threads},
                                     {"slots", ring.n_slots},
                                     {"slot_bytes", ring.slot_bytes},
                                     {"ring_bytes", ring.ring_bytes},
                                     {"needed_bytes", kept + ring.ring_bytes},
                                     {"budget_bytes", budget.limit()},
                                     {"output_bytes", output_bytes},
                                     {"outputs", outputs}};
  session.say(
      fmt::format("plan\n  {} over {} chunks, {} threads\n", passes_in_words(passes), format_count(ring.source.n_chunks), ring.threads));
  session.say(fmt::format("  {:<38} {:>10}\n  {:<38} {:>10}\n  {:<38} {:>10}\n", "kept and for writing", format_size(kept),
                          fmt::format("ring: {} slots of {}", ring.n_slots, format_size(ring.slot_bytes)), format_size(ring.ring_bytes),
                          "--memory", format_size(budget.limit())));
  session.say(fmt::format("outputs: {}; about {}\n", printable(fmt::format("{}", fmt::join(outputs, ", "))),
                          format_size(static_cast<std::uint64_t>(std::max<std::int64_t>(output_bytes, 0)))));
}

}  // namespace quern::cli
