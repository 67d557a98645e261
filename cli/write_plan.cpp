#include "cli/write_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/sizes.hpp"

namespace quern::cli {

std::string passes_in_words(int passes) { return passes == 1 ? "1 pass" : std::to_string(passes) + " passes"; }

namespace {

void tell_cache(const WritePlan& plan, Session& session) {
  if (plan.passes < 2) return;
  const bool is_enough = plan.decoded_bytes > 0 && plan.decoded_bytes <= plan.cache_bytes;
  const std::string least = plan.decoded_bytes == 0 || is_enough ? "" : " of " + format_size(plan.decoded_bytes) + " or more";
  session.say(fmt::format("  {:<38} {:>10}{}\n", is_enough ? "kept between the passes, about" : "kept between the passes, at most",
                          format_size(is_enough ? plan.decoded_bytes : plan.cache_bytes), least));
}

}  // namespace

void tell_write_plan(const WritePlan& plan, const PipelinePlan& ring, const MemoryBudget& budget, Session& session) {
  const std::size_t kept = budget.limit() - budget.available();
  std::vector<std::string> outputs{plan.output};
  if (!session.options.json.empty()) outputs.push_back(session.options.json);
  session.report.result()["plan"] = {{"passes", plan.passes},
                                     {"chunks", ring.source.n_chunks},
                                     {"threads", ring.threads},
                                     {"slots", ring.n_slots},
                                     {"slot_bytes", ring.slot_bytes},
                                     {"ring_bytes", ring.ring_bytes},
                                     {"needed_bytes", kept + ring.ring_bytes},
                                     {"cache_bytes", plan.cache_bytes},
                                     {"budget_bytes", budget.limit()},
                                     {"output_bytes", plan.output_bytes},
                                     {"outputs", outputs}};
  session.say(fmt::format("plan\n  {} over {} chunks, {} threads\n", passes_in_words(plan.passes), format_count(ring.source.n_chunks),
                          ring.threads));
  session.say(fmt::format("  {:<38} {:>10}\n  {:<38} {:>10}\n  {:<38} {:>10}\n", "kept and for writing", format_size(kept),
                          fmt::format("ring: {} slots of {}", ring.n_slots, format_size(ring.slot_bytes)), format_size(ring.ring_bytes),
                          "--memory", format_size(budget.limit())));
  tell_cache(plan, session);
  session.say(fmt::format("outputs: {}; about {}\n", printable(fmt::format("{}", fmt::join(outputs, ", "))),
                          format_size(static_cast<std::uint64_t>(std::max<std::int64_t>(plan.output_bytes, 0)))));
}

}  // namespace quern::cli
