// `quern generate`: realistic synthetic data.
#include "datasets/generate.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/signals.hpp"
#include "io/carry/h5ad_output.hpp"

namespace quern::cli {
namespace {

constexpr std::int64_t kNotGiven = -1;

template <class T>
std::optional<T> given(T value) {
  return value < 0 ? std::nullopt : std::optional<T>(value);
}
std::optional<std::string> given(const std::string& text) { return text.empty() ? std::nullopt : std::optional<std::string>(text); }

bool is_tenx(const datasets::GenerateSpec& spec) {
  return spec.layout == datasets::Layout::tenx_v2 || spec.layout == datasets::Layout::tenx_v3;
}

std::string preset_help() {
  std::string help;
  for (const std::string& name : datasets::preset_names())
    help += (help.empty() ? "" : "; ") + name + ": " + datasets::preset_summary(name);
  return help;
}

std::string preset_list() {
  std::string list;
  for (const std::string& name : datasets::preset_names()) list += (list.empty() ? "" : ", ") + name;
  return list;
}

class Generate final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    set.positional("OUT", output_, "the file to write: .h5ad, or .h5 for the 10x layouts");
    set.group("What is generated");
    set.text("--preset", "NAME", preset_, preset_help());
    set.integer("--cells", "N", cells_, 0, "cells, instead of the preset's");
    set.integer("--genes", "N", genes_, 1, "genes, instead of the preset's");
    set.number("--nnz-per-cell", "N", genes_per_cell_, "stored values of a cell, on average");
    set.integer("--seed", "N", seed_, 0, "another seed gives other data (default 0); the same arguments give the same bytes");
    set.group("How it is stored");
    set.choice("--layout", {"modern", "legacy", "10x-v2", "10x-v3"}, layout_, "modern: anndata 0.8 and later; legacy: 0.6 and before");
    set.text("--compression", "HOW", compression_, "none, gzip:1 to gzip:9, lzf, zstd:1 to zstd:19 or blosc:1 to blosc:9");
    set.integer("--chunk", "N", chunk_, 1, "elements of a stored chunk of values (default: what the layout's usual writer takes)");
    set.group("How it is computed");
    declare_threads(set, shared);
    set.size("-m,--memory", shared.memory_bytes,
             "host memory for the whole run, 512MiB or 1.5G (default: 2 GiB, or half of what there is)");
    set.flag("-n,--dry-run", shared.dry_run, "print what would be written and the memory it needs, write nothing");
    declare_reporting(set, shared);
  }

  void run(Session& session) override {
    if (output_ == "-") throw usage_error("stdout-output", "OUT", "HDF5 cannot be written to standard output", "name a file");
    if (preset_.empty()) throw usage_error("missing-option", "--preset", "no preset was named", "name one of " + preset_list());
    const datasets::GenerateSpec spec = datasets::make_spec(preset_, changes());
    warn_about_name(session, spec);
    io::resolve_output(output_, session.output_options());
    const auto start = std::chrono::steady_clock::now();
    if (session.options.dry_run) {
      const datasets::GeneratePlan plan = datasets::plan_generation(spec, session.options.threads);
      io::require_free_space(output_, plan.least_file_bytes);
      return tell(session, spec, plan);
    }
    const datasets::GenerateReport report = make(session, spec);
    tell(session, spec, report, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

 private:
  datasets::SpecChanges changes() const {
    datasets::SpecChanges changes;
    changes.n_cells = given(cells_);
    changes.n_genes = given(genes_);
    changes.genes_per_cell = given(genes_per_cell_);
    if (seed_ >= 0) changes.seed = static_cast<std::uint64_t>(seed_);
    changes.chunk_length = given(chunk_);
    changes.layout = given(layout_);
    changes.compression = given(compression_);
    return changes;
  }

  void warn_about_name(Session& session, const datasets::GenerateSpec& spec) const {
    const bool named_h5ad = output_.ends_with(".h5ad");
    if (named_h5ad == is_tenx(spec) && (named_h5ad || output_.ends_with(".h5")))
      session.warn("other-extension", fmt::format("{}: the layout is {}, whose files end in {}", output_,
                                                  datasets::layout_name(spec.layout), is_tenx(spec) ? ".h5" : ".h5ad"));
  }

  datasets::GenerateReport make(Session& session, const datasets::GenerateSpec& spec) const {
    MemoryBudget budget(session.options.memory_bytes);
    datasets::GenerateOptions options;
    options.threads = session.options.threads;
    options.output = session.output_options();
    options.progress = [&](std::int64_t done, std::int64_t total) {
      if (stop_flag()) throw Interrupted();
      session.console.progress(
          static_cast<std::int64_t>(static_cast<double>(done) / static_cast<double>(total) * static_cast<double>(spec.n_cells)),
          spec.n_cells, done);
    };
    datasets::GenerateReport report = datasets::generate(spec, output_, budget, options);
    session.warn(report.warnings);
    return report;
  }

  static Json describe(const datasets::GenerateSpec& spec, const datasets::GeneratePlan& plan) {
    return {{"preset", spec.preset},
            {"layout", datasets::layout_name(spec.layout)},
            {"seed", spec.seed},
            {"n_obs", plan.n_cells},
            {"n_vars", plan.n_genes},
            {"nnz", plan.nnz},
            {"compression", io::to_string(spec.compression)},
            {"chunk", plan.chunk_length},
            {"memory_bytes", plan.memory_bytes}};
  }
  static std::string in_words(const datasets::GenerateSpec& spec, const datasets::GeneratePlan& plan) {
    return fmt::format("{} cells x {} genes, {} stored values, {} layout, {}, chunks of {}\n", plan.n_cells, plan.n_genes, plan.nnz,
                       datasets::layout_name(spec.layout), io::to_string(spec.compression), plan.chunk_length);
  }

  void tell(Session& session, const datasets::GenerateSpec& spec, const datasets::GeneratePlan& plan) const {
    session.report.result() = describe(spec, plan);
    session.report.result()["path"] = output_;
    session.say(fmt::format("would write {}\n{}needs {} MiB of memory\n", output_, in_words(spec, plan), (plan.memory_bytes >> 20) + 1));
    if (plan.memory_bytes > session.options.memory_bytes)
      session.warn("over-budget", fmt::format("needs --memory {}MiB or more", (plan.memory_bytes >> 20) + 1));
  }
  void tell(Session& session, const datasets::GenerateSpec& spec, const datasets::GenerateReport& report, double seconds) const {
    Json& result = session.report.result();
    result = describe(spec, report.plan);
    result["path"] = output_;
    result["total_counts"] = report.total_counts;
    result["file_bytes"] = report.file_bytes;
    RunFacts facts;
    facts.threads = session.options.threads;
    facts.passes = 1;
    facts.chunks = report.plan.n_chunks;
    facts.values = report.plan.nnz;
    facts.budget_bytes = session.options.memory_bytes;
    facts.compute_seconds = seconds;
    session.report.set_run(facts);
    session.say(fmt::format("{}: {} MB in {:.1f} s\n{}", output_, report.file_bytes / 1'000'000, seconds, in_words(spec, report.plan)));
  }

  std::string output_, preset_, layout_, compression_;
  std::int64_t cells_ = kNotGiven, genes_ = kNotGiven, seed_ = kNotGiven, chunk_ = kNotGiven;
  double genes_per_cell_ = -1;
};

}  // namespace

std::unique_ptr<Command> make_generate() { return std::make_unique<Generate>(); }

}  // namespace quern::cli
