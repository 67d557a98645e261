#include "cli/shared_options.hpp"

#include <cstdlib>

#include "cli/machine.hpp"
#include "cli/signals.hpp"
#include "cli/sizes.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

constexpr const char* input_help = "an h5ad, a 10x .h5, a 10x matrix directory or its matrix.mtx[.gz]";

int threads_from(const std::string& text, const std::string& source) {
  if (text == "auto") return read_machine_limits().threads();
  const std::int64_t threads = parse_integer(text, source, 1);
  if (threads > 4096) throw usage_error("bad-number", source, text + " threads are more than 4096");
  return static_cast<int>(threads);
}

void check_gpu_memory(const std::string& text) {
  if (!text.ends_with('%')) {
    if (parse_size(text, "--gpu-memory") == 0) throw usage_error("bad-size", "--gpu-memory", "must be more than nothing");
    return;
  }
  if (const auto percent = parse_integer(text.substr(0, text.size() - 1), "--gpu-memory", 1); percent > 100)
    throw usage_error("bad-number", "--gpu-memory", text + " is more than all of it");
}

void declare_chunks(OptionSet& set, SharedOptions& options) {
  set.integer("--chunk-nnz", "N", options.chunk_nnz, 1, "stored values aimed at in a chunk; no result depends on it");
  declare_tmp_dir(set, options);
  set.flag("-n,--dry-run", options.dry_run, "print the plan and the memory it needs, write nothing");
}

}  // namespace

void declare_external(OptionSet& set, SharedOptions& options) {
  set.flag("--allow-external", options.allow_external, "follow external links, external storage and virtual datasets (refused otherwise)");
}

void declare_input(OptionSet& set, SharedOptions& options) {
  set.positional("INPUT", options.input, input_help);
  set.group("Which matrix");
  set.text("--layer", "NAME", options.layer, "X (default), raw, or layers/NAME");
  set.text("--genome", "NAME", options.genome, "10x: the genome, where a file holds several");
  set.text("--feature-type", "NAME", options.feature_type, "10x: the kind of features kept, or all (default: Gene Expression)");
  declare_external(set, options);
}

void declare_file_input(OptionSet& set, SharedOptions& options) {
  set.positional("INPUT", options.input, input_help);
  set.group("Input");
  declare_external(set, options);
}

void declare_compute(OptionSet& set, SharedOptions& options) {
  set.group("How it is computed");
  declare_threads(set, options);
  declare_memory(set, options);
  set.choice("--backend", {"auto", "cpu", "cuda"}, options.backend, "what computes; cuda never falls back, auto says what it chose");
  set.text("--gpu-memory", "SIZE|PERCENT", options.gpu_memory, "device memory for the run (default: 80%)");
  set.number("--verify", "FRACTION", options.verify,
             "recompute this share of the chunks on the processor too and compare bits (cuda; default: 0)");
  declare_chunks(set, options);
}

void declare_passes(OptionSet& set, SharedOptions& options) {
  set.group("How it is computed");
  declare_threads(set, options);
  declare_memory(set, options);
  declare_chunks(set, options);
}

void declare_threads(OptionSet& set, SharedOptions& options) {
  set.text("-t,--threads", "N|auto", options.threads_text,
           "threads (auto: what affinity, cgroup and Slurm allow; environment: QUERN_THREADS)");
}

void declare_memory(OptionSet& set, SharedOptions& options) {
  set.size("-m,--memory", options.memory_bytes, "host memory for the whole run, 512MiB or 1.5G (default: 2 GiB, or half of what there is)");
}

void declare_tmp_dir(OptionSet& set, SharedOptions& options) {
  set.text("--tmp-dir", "DIR", options.tmp_dir, "where temporary files go (default: the output's folder, else TMPDIR)");
}

void declare_h5ad_output(OptionSet& set, std::string& target, bool& no_provenance) {
  set.output("-o,--output", "H5AD", target, "the file to write: everything the input holds, and what is new");
  set.flag("--no-provenance", no_provenance, "leave out uns/quern, which tells how the file came about");
}

void declare_reporting(OptionSet& set, SharedOptions& options) {
  set.group("What is written and said");
  set.output("--json", "PATH|-", options.json, "one JSON object with results, warnings and facts of the run");
  set.flag("-f,--force", options.force, "replace outputs that exist (never an input)");
  set.flag("-q,--quiet", options.quiet, "errors only on standard error");
  set.flag("-v,--verbose", options.verbose, "more on standard error");
  set.text("--log-file", "PATH", options.log_file, "append what is said, with the time, to this file");
  set.choice("--progress", {"auto", "always", "never"}, options.progress, "a progress line (auto: on a terminal)");
  set.choice("--color", {"auto", "always", "never"}, options.color, "colours (auto: on a terminal, unless NO_COLOR is set)");
}

std::optional<int> threads_of_environment() {
  const char* text = std::getenv("QUERN_THREADS");
  if (!text || !*text) return std::nullopt;
  return threads_from(text, "QUERN_THREADS");
}

void resolve(SharedOptions& options, bool has_threads) {
  std::vector<std::string> inputs = options.inputs;
  inputs.push_back(options.input);
  for (const std::string& input : inputs)
    if (input == "-" || input == "/dev/stdin")
      throw usage_error("stdin-input", "INPUT", "standard input cannot be read: these formats need to jump about in a file",
                        "save it to a file first");
  options.threads = threads_from(options.threads_text, "--threads");
  if (has_threads && options.threads_text == "auto") options.threads = threads_of_environment().value_or(options.threads);
  if (options.memory_bytes == 0) options.memory_bytes = read_machine_limits().default_budget_bytes();
  check_gpu_memory(options.gpu_memory);
  if (!(options.verify >= 0 && options.verify <= 1)) throw usage_error("bad-number", "--verify", "a share lies between 0 and 1");
}

io::InputOptions input_options(const SharedOptions& options) {
  io::InputOptions result;
  result.layer = options.layer;
  result.genome = options.genome;
  result.feature_type = options.feature_type;
  result.allow_external = options.allow_external;
  result.tmp_dir = options.tmp_dir;
  result.threads = options.threads;
  result.stop = &stop_flag();
  return result;
}

}  // namespace quern::cli
