// The options that mean the same everywhere. Each is declared once, in a group that verbs take or leave.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/option_set.hpp"
#include "io/input.hpp"

namespace quern::cli {

struct SharedOptions {
  // input
  std::string input, layer = "X", genome, feature_type = "Gene Expression";
  std::vector<std::string> inputs;  // of a verb that takes several
  bool allow_external = false;
  // how it is computed
  std::string backend = "auto", threads_text = "auto", gpu_memory = "80%", tmp_dir;
  int threads = 1;                 // resolved
  std::uint64_t memory_bytes = 0;  // resolved
  std::int64_t chunk_nnz = 0;
  double verify = 0;  // share of the chunks
  bool dry_run = false;
  // what is written
  bool force = false;
  std::string json;
  // what is said
  bool quiet = false, verbose = false;
  std::string log_file, progress = "auto", color = "auto";
};

void declare_input(OptionSet& set, SharedOptions& options);                          // INPUT, which matrix, --allow-external
void declare_file_input(OptionSet& set, SharedOptions& options);                     // INPUT and --allow-external, no choice of a matrix
void declare_compute(OptionSet& set, SharedOptions& options);                        // backend, threads, memory, chunks, tmp-dir, dry-run
void declare_passes(OptionSet& set, SharedOptions& options);                         // the same of a verb that only the processor runs
void declare_threads(OptionSet& set, SharedOptions& options);                        // --threads alone
void declare_memory(OptionSet& set, SharedOptions& options);                         // --memory alone
void declare_tmp_dir(OptionSet& set, SharedOptions& options);                        // --tmp-dir alone
void declare_external(OptionSet& set, SharedOptions& options);                       // --allow-external alone
void declare_h5ad_output(OptionSet& set, std::string& target, bool& no_provenance);  // --output, --no-provenance
void declare_reporting(OptionSet& set, SharedOptions& options);                      // json, force, quiet, verbose, log, progress, colour

// "auto", QUERN_THREADS and what the machine allows become numbers; checks what the parser could not. Throws usage_error.
// has_threads: the verb takes --threads, and so minds the environment.
void resolve(SharedOptions& options, bool has_threads);
std::optional<int> threads_of_environment();  // QUERN_THREADS; throws usage_error("bad-number")

io::InputOptions input_options(const SharedOptions& options);

}  // namespace quern::cli
