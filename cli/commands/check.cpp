// `quern check`: is this file what it says it is?
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/command.hpp"
#include "cli/signals.hpp"
#include "cli/sizes.hpp"
#include "host/core/error.hpp"
#include "io/view/audit.hpp"

namespace quern::cli {
namespace {

using io::Finding;
using io::Severity;

struct InputResult {
  std::string path, format, generation;
  std::size_t n_matrices = 0;
  std::int64_t n_values = 0;
  std::vector<Finding> findings;
  bool out_of_memory = false;

  std::size_t count(Severity severity) const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.severity == severity; }));
  }
};

std::string counted(std::size_t n, const std::string& word) { return fmt::format("{} {}{}", n, word, n == 1 ? "" : "s"); }

class Check final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    set.positionals("INPUT", shared.inputs, "h5ad, 10x .h5, 10x matrix directories or their matrix.mtx[.gz]");
    set.group("What is checked");
    set.flag("--deep", deep_, "every stored value, index, name and checksum (without: structure, types, lengths, encodings, row pointers)");
    declare_external(set, shared);
    declare_threads(set, shared);
    declare_memory(set, shared);
    declare_tmp_dir(set, shared);
    declare_reporting(set, shared);
  }

  void run(Session& session) override {
    const std::vector<std::string>& paths = session.options.inputs;
    if (paths.size() == 1) session.report.set_input_path(paths.front());
    std::vector<InputResult> results;
    for (const std::string& path : paths) {
      results.push_back(check(path, session));
      tell(results.back(), session);
    }
    session.console.end_progress();
    conclude(results, session);
  }

  int exit_status() const override { return status_; }

 private:
  InputResult check(const std::string& path, Session& session) const {
    InputResult result;
    result.path = path;
    io::Findings findings;
    try {
      look_through(path, session, findings, result);
    } catch (Error& error) {
      if (error.kind() != ErrorKind::input && error.kind() != ErrorKind::resources) throw error.in_file(path);
      result.out_of_memory = error.kind() == ErrorKind::resources;
      findings.list.push_back({Severity::error, error.object().empty() ? "/" : error.object(), error.code(), error.what()});
    }
    result.findings = std::move(findings.list);
    return result;
  }

  void look_through(const std::string& path, Session& session, io::Findings& findings, InputResult& result) const {
    io::InputOptions options = input_options(session.options);
    options.feature_type = "all";
    MemoryBudget budget(session.options.memory_bytes);
    options.budget = &budget;
    const std::string packed =
        io::view_in_probe(path, options, "", [&](io::Viewer& viewer) { return io::pack_findings(io::audit_elements(viewer, deep_)); });
    io::Viewer viewer(path, options, "");
    findings = viewer.file() ? io::unpack_findings(packed) : io::audit_elements(viewer, deep_);
    result.format = io::format_name(viewer.info().format);
    result.generation = viewer.info().generation;
    if (session.options.inputs.size() == 1) session.report.set_input(viewer.info());
    std::vector<io::MatrixInput> matrices = viewer.matrices();
    const std::size_t n_of_genes = matrices.size();
    for (const std::string& object : findings.matrices) matrices.push_back(io::open_element(*viewer.file(), object).matrix);
    const auto progress = [&](std::int64_t done, std::int64_t total, std::int64_t values) {
      if (stop_flag()) throw Interrupted();
      session.console.progress(done, total, values);
    };
    for (std::size_t i = 0; i < matrices.size(); ++i)
      result.n_values += io::audit_matrix(matrices[i], i < n_of_genes, deep_, budget, progress, findings);
    result.n_matrices = matrices.size();
  }

  static void tell(const InputResult& result, Session& session) {
    for (const Finding& finding : result.findings) {
      if (session.options.quiet && finding.severity == Severity::note) continue;
      session.say(fmt::format("{}: {}: {}: {}: {}\n", result.path, finding.object, io::severity_name(finding.severity), finding.code,
                              finding.text));
    }
    if (session.options.quiet) return;
    const std::size_t errors = result.count(Severity::error);
    std::string verdict = errors > 0 ? counted(errors, "error") : "no errors";
    for (const auto& [severity, word] : {std::pair(Severity::warning, "warning"), std::pair(Severity::note, "note")})
      if (const std::size_t n = result.count(severity); n > 0) verdict += ", " + counted(n, word);
    const std::string what = result.format.empty()
                                 ? ""
                                 : fmt::format(" ({}{}; {}{})", result.format, result.generation.empty() ? "" : ", " + result.generation,
                                               result.n_matrices == 1 ? "1 matrix" : fmt::format("{} matrices", result.n_matrices),
                                               result.n_values > 0 ? fmt::format(", {} values read", format_count(result.n_values)) : "");
    session.say(fmt::format("{}: {}{}\n", result.path, verdict, what));
  }

  void conclude(const std::vector<InputResult>& results, Session& session) {
    Json inputs = Json::array();
    std::optional<Error> first;
    std::size_t bad = 0;
    for (const InputResult& result : results) {
      inputs.push_back(to_json(result));
      if (result.count(Severity::error) == 0) continue;
      ++bad;
      if (!result.out_of_memory) status_ = static_cast<int>(ErrorKind::input);
      if (!first) first = first_error(result);
    }
    session.report.result() = {{"deep", deep_}, {"ok", bad == 0}, {"inputs", inputs}};
    if (results.size() > 1 && !session.options.quiet)
      session.say(bad == 0 ? fmt::format("{} inputs, no errors\n", results.size())
                           : fmt::format("{} of {} inputs have errors\n", bad, results.size()));
    if (!first) return;
    if (status_ == 0) status_ = static_cast<int>(ErrorKind::resources);
    session.report.set_error(*first);
    session.console.error(*first);
  }

  static Error first_error(const InputResult& result) {
    const auto& findings = result.findings;
    const auto error = std::find_if(findings.begin(), findings.end(), [](const Finding& f) { return f.severity == Severity::error; });
    const std::size_t others = result.count(Severity::error) - 1;
    const std::string hint = others > 0 ? "and " + counted(others, "more error") : "";
    const std::string object = error->object == "/" ? "" : error->object;
    const std::string& code = error->code;
    if (result.out_of_memory) return resource_error(code, object, error->text, hint).in_file(result.path);
    return input_error(code, object, error->text, hint).in_file(result.path);
  }

  static Json to_json(const InputResult& result) {
    Json findings = Json::array();
    for (const Finding& f : result.findings)
      findings.push_back({{"object", f.object}, {"severity", io::severity_name(f.severity)}, {"code", f.code}, {"text", f.text}});
    return {{"path", result.path},
            {"format", result.format.empty() ? Json(nullptr) : Json(result.format)},
            {"generation", result.generation.empty() ? Json(nullptr) : Json(result.generation)},
            {"ok", result.count(Severity::error) == 0},
            {"errors", result.count(Severity::error)},
            {"warnings", result.count(Severity::warning)},
            {"notes", result.count(Severity::note)},
            {"matrices", result.n_matrices},
            {"values", result.n_values},
            {"findings", findings}};
  }

  bool deep_ = false;
  int status_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_check() { return std::make_unique<Check>(); }

}  // namespace quern::cli
