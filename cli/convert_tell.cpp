#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/convert_run.hpp"
#include "cli/sizes.hpp"
#include "cli/write_plan.hpp"

namespace quern::cli {

ConvertPlan check_options(const ConvertOptions& options) {
  ConvertPlan plan;
  plan.compression = io::parse_compression(options.compression.empty() ? "gzip:1" : options.compression);
  plan.chunk_length = options.chunk;
  if (options.dtype != "keep") plan.dtype = options.dtype;
  plan.keeps_chunks = options.compression.empty() && options.chunk == 0;
  return plan;
}

std::int64_t added_bytes(const io::FileInfo& info, const io::MatrixInfo& matrix, const ConvertPlan& plan) {
  const auto stored = [](const io::MatrixInfo& m) { return m.data.bytes_on_disk + m.indices.bytes_on_disk + m.indptr.bytes_on_disk; };
  const bool has_x = info.format == io::Format::h5ad && !info.matrices.empty() && info.matrices.front().name == "X";
  const std::int64_t plain = std::max<std::int64_t>(matrix.nnz, 0) * 5;  // the least: values of 1 byte
  const std::int64_t after = plan.compression.packing == io::Packing::none ? plain : std::min(plain / 8, stored(matrix) / 2);
  return after - (has_x ? stored(info.matrices.front()) : 0);
}

void warn_of_what_stays_behind(const io::FileInfo& info, const io::MatrixInfo& matrix, Session& session) {
  if (info.format != io::Format::h5ad) return;
  std::vector<std::string> parts;
  if (!info.obs.columns.empty()) parts.push_back(fmt::format("{} columns of obs", info.obs.columns.size()));
  for (const io::MatrixInfo& other : info.matrices)
    if (other.name != matrix.name) parts.push_back(other.name);
  for (const char* group : {"obsm", "varm", "obsp", "varp", "uns"})
    if (const auto found = info.keys.find(group); found != info.keys.end())
      for (const std::string& key : found->second) parts.push_back(fmt::format("{}/{}", group, key));
  if (parts.empty()) return;
  constexpr std::size_t most = 12;
  const std::size_t n = parts.size();
  if (n > most) parts.resize(most);
  session.warn("left-out", fmt::format("only an h5ad can hold {}{}", fmt::join(parts, ", "), n > most ? " ..." : ""));
}

void tell(const ConvertOutcome& outcome, const ConvertOptions& options, const std::string& matrix, Session& session) {
  const bool has_x = !outcome.value_type.empty();
  const auto if_x = [has_x](const Json& value) { return has_x ? value : Json(); };
  const auto how = [&](bool copied) { return if_x(copied ? "copied" : "written"); };
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"nnz", outcome.nnz},
                             {"format", outcome.format},
                             {"value_type", if_x(outcome.value_type)},
                             {"data", how(outcome.copied_data)},
                             {"indices", how(outcome.copied_indices)},
                             {"path", options.output},
                             {"file_bytes", outcome.file_bytes}};
  if (has_x) session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} genes, {} stored values\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.shape.n_rows), format_count(outcome.shape.n_cols), format_count(outcome.nnz)));
  if (has_x) line("values", fmt::format("{}, {}", outcome.value_type, outcome.copied_data ? "stored chunks copied" : "written anew"));
  const RunReport& run = outcome.run;
  line("run", fmt::format("{}, {} {}, {}", format_seconds(session.report.seconds()), run.threads, run.threads == 1 ? "thread" : "threads",
                          passes_in_words(run.passes)));
  line("written",
       fmt::format("{}, {}, {}", printable(options.output), outcome.format, format_size(static_cast<std::uint64_t>(outcome.file_bytes))));
}

}  // namespace quern::cli
