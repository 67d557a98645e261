#include "cli/write_plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/sizes.hpp"
#include "host/pipeline/least_budget.hpp"

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

std::size_t least_memory(const TakeAll& take, std::size_t kept_bytes) {
  return least_budget([&](MemoryBudget& trial) { take(trial); }, kept_bytes);
}

std::size_t copied_bytes(const io::MatrixInfo& matrix) {
  constexpr std::size_t most = std::size_t{4} << 20;  // larger ones are not copied
  std::size_t bytes = 0;
  for (const io::StoredArray* array : {&matrix.data, &matrix.indices})
    if (!array->chunk.empty() && !array->filters.empty())
      bytes += std::min(most, static_cast<std::size_t>(array->chunk.front()) * sizeof(double));
  return bytes;
}

void tell_write_plan(const WritePlan& plan, const TakeAll& take, Session& session) {
  const std::size_t least = least_memory(take, plan.kept_bytes), given = session.options.memory_bytes;
  MemoryBudget planned(std::max(given, least));
  const PipelinePlan ring = take(planned);
  const std::size_t writing = planned.peak() - std::min(planned.peak(), plan.kept_bytes);
  if (least > given) session.warn("over-budget", fmt::format("this run needs --memory {}MiB or more", least >> 20));
  std::vector<std::string> outputs{plan.output};
  if (!session.options.json.empty()) outputs.push_back(session.options.json);
  session.report.result()["plan"] = {{"passes", plan.passes},
                                     {"chunks", ring.source.n_chunks},
                                     {"threads", ring.threads},
                                     {"slots", ring.n_slots},
                                     {"slot_bytes", ring.slot_bytes},
                                     {"ring_bytes", ring.ring_bytes},
                                     {"needed_bytes", std::min(planned.limit(), plan.kept_bytes + writing + ring.ring_bytes)},
                                     {"least_bytes", least},
                                     {"cache_bytes", plan.cache_bytes},
                                     {"budget_bytes", given},
                                     {"output_bytes", plan.output_bytes},
                                     {"outputs", outputs}};
  session.say(fmt::format("plan\n  {} over {} chunks, {} threads\nmemory\n", passes_in_words(plan.passes),
                          format_count(ring.source.n_chunks), ring.threads));
  for (const auto& [what, bytes] : {std::pair<std::string, std::size_t>{"kept", plan.kept_bytes},
                                    {"for writing", writing},
                                    {fmt::format("ring: {} slots of {}", ring.n_slots, format_size(ring.slot_bytes)), ring.ring_bytes},
                                    {"--memory", given},
                                    {"least", least}})
    session.say(fmt::format("  {:<38} {:>10}\n", what, format_size(bytes)));
  tell_cache(plan, session);
  session.say(fmt::format("outputs: {}; about {}\n", printable(fmt::format("{}", fmt::join(outputs, ", "))),
                          format_size(static_cast<std::uint64_t>(std::max<std::int64_t>(plan.output_bytes, 0)))));
}

void tell_write_plan(int passes, const std::string& output, const PipelinePlan& ring, const MemoryBudget& budget, std::int64_t output_bytes,
                     Session& session) {
  tell_write_plan(passes, std::vector{output}, ring, budget, output_bytes, session);
}

void tell_write_plan(int passes, std::vector<std::string> outputs, const PipelinePlan& ring, const MemoryBudget& budget,
                     std::int64_t output_bytes, Session& session) {
  const std::size_t kept = budget.limit() - budget.available();
  outputs.push_back(session.options.json);
  std::erase(outputs, "");
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
  if (outputs.empty()) return session.say("outputs: none\n");
  session.say(fmt::format("outputs: {}; about {}\n", printable(fmt::format("{}", fmt::join(outputs, ", "))),
                          format_size(static_cast<std::uint64_t>(std::max<std::int64_t>(output_bytes, 0)))));
}

}  // namespace quern::cli
