#include "cli/json_report.hpp"

#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/version.hpp"

namespace quern::cli {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

struct Report::State {
  Json root;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

Report::Report(const std::string& verb) : state_(std::make_unique<State>()) {
  state_->root = {
      {"schema", "quern." + verb + "/1"},
      {"quern", {{"version", version()}, {"git", text_or_null(git_commit())}, {"backend", nullptr}, {"device", nullptr}}},
      {"input",
       {{"path", nullptr},
        {"format", nullptr},
        {"generation", nullptr},
        {"matrix", nullptr},
        {"n_obs", nullptr},
        {"n_vars", nullptr},
        {"nnz", nullptr}}},
      {"result", Json::object()},
      {"warnings", Json::array()},
      {"run",
       {{"threads", nullptr},
        {"chunks", nullptr},
        {"passes", nullptr},
        {"bytes_read", nullptr},
        {"seconds", {{"total", 0.0}}},
        {"nnz_per_second", nullptr},
        {"peak_rss_bytes", 0},
        {"budget_bytes", nullptr},
        {"peak_device_bytes", nullptr},
        {"bytes_to_device", nullptr}}},
      {"digest", nullptr},
  };
}
Report::~Report() = default;

Json& Report::result() { return state_->root["result"]; }

void Report::set_backend(const std::string& name, const std::string& device) {
  state_->root["quern"]["backend"] = name;
  state_->root["quern"]["device"] = text_or_null(device);
}
void Report::set_input_path(const std::string& path) { state_->root["input"]["path"] = text_or_null(path); }
void Report::set_input(const io::FileInfo& info) {
  Json& input = state_->root["input"];
  input["format"] = format_name(info.format);
  input["generation"] = text_or_null(info.generation);
  input["n_obs"] = info.n_obs;
  input["n_vars"] = info.n_vars;
}
void Report::set_matrix(const io::MatrixInfo& matrix) {
  Json& input = state_->root["input"];
  input["matrix"] = matrix.name;
  input["n_obs"] = matrix.rows;
  input["n_vars"] = matrix.cols;
  input["nnz"] = matrix.nnz < 0 ? Json(nullptr) : Json(matrix.nnz);
}
void Report::add_warning(const std::string& code, const std::string& text) {
  state_->root["warnings"].push_back({{"code", code}, {"text", text}});
}
void Report::set_limits(int threads, std::uint64_t budget_bytes) {
  Json& run = state_->root["run"];
  if (threads > 0) run["threads"] = threads;
  if (budget_bytes > 0) run["budget_bytes"] = budget_bytes;
}
void Report::set_run(const RunFacts& facts) {
  Json seconds = {{"total", 0.0}};
  for (const auto& [part, time] : facts.seconds) seconds[part] = time;
  const double rate = facts.compute_seconds > 0 ? static_cast<double>(facts.values) / facts.compute_seconds : 0;
  state_->root["run"] = {{"threads", facts.threads},
                         {"chunks", facts.chunks},
                         {"passes", facts.passes},
                         {"bytes_read", facts.bytes_read},
                         {"seconds", seconds},
                         {"nnz_per_second", rate},
                         {"peak_rss_bytes", 0},
                         {"budget_bytes", facts.budget_bytes},
                         {"peak_device_bytes", facts.peak_device_bytes},
                         {"bytes_to_device", facts.bytes_to_device}};
  if (facts.cache) state_->root["run"]["packed_cache"] = {{"rows", facts.cache->rows}, {"bytes", facts.cache->bytes}};
  if (facts.verified_chunks > 0) state_->root["run"]["verified_chunks"] = facts.verified_chunks;
}
void Report::set_digest(const std::string& digest) { state_->root["digest"] = digest; }
void Report::set_error(const Error& error) {
  state_->root["error"] = {{"code", error.code()}, {"text", error.what()}, {"object", text_or_null(error.object())}};
  if (!error.path().empty()) state_->root["error"]["path"] = error.path();
  if (!error.hint().empty()) state_->root["error"]["hint"] = error.hint();
}

double Report::seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - state_->started).count(); }

std::string Report::render() {
  state_->root["run"]["seconds"]["total"] = seconds();
  state_->root["run"]["peak_rss_bytes"] = peak_resident_bytes();
  return state_->root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::uint64_t peak_resident_bytes() {
  // The kernel's mark of this program; getrusage also counts the process that started it, before it became this program.
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace quern::cli
