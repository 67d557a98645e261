// `quern convert`: from one format or layout to another.
#include <algorithm>
#include <filesystem>

#include "cli/command.hpp"
#include "cli/convert_run.hpp"
#include "cli/convert_target.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"
#include "io/carry/chunk_copy.hpp"
#include "io/mtx/mtx_out.hpp"

namespace quern::cli {
namespace {

class Convert final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("Outputs");
    set.output("-o,--output", "OUT", options_.output,
               "what to write: NAME.h5ad, NAME.h5 (10x), or a folder for matrix.mtx.gz and its tables");
    set.choice("--to", {"h5ad", "10x", "mtx"}, options_.to, "what it is to be, whatever its name");
    set.flag("--no-provenance", options_.no_provenance, "leave out uns/quern, which tells how an h5ad came about");
    set.text("--compression", "HOW", options_.compression,
             "of the matrix: none, gzip:1 to gzip:9, lzf, zstd:1 to zstd:19, blosc:1 to blosc:9 (default: gzip:1, or what is stored)");
    set.integer("--chunk", "N", options_.chunk, 1, "entries in a stored chunk of the matrix (default: 262144; 10x: 65536)");
    set.choice("--dtype", {"keep", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"},
               options_.dtype, "type of the values of X in an h5ad");
    declare_passes(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  ConvertOptions options_;
};

// What one run holds while it lasts; members are destroyed from the last to the first.
class ConvertRun {
 public:
  ConvertRun(const ConvertOptions& options, Session& session)
      : options_(options), session_(session), plan_(check_options(options)), budget_(run_budget(session)) {}

  void open() {
    if (options_.output.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
    target_ = make_target(options_, plan_, session_);
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    options.depth = H5adWriting::depth;
    if (options.tmp_dir.empty()) options.tmp_dir = std::filesystem::absolute(options_.output).lexically_normal().parent_path().string();
    input_ = io::Input::open(session_.options.input, options);
    target_->open(*input_, has_matrix() ? &matrix() : nullptr);
    session_.report.set_backend("cpu", "");
    session_.report.set_input(input_->info());
    outcome_.shape = {input_->info().n_obs, input_->info().n_vars, 0};
    if (has_matrix()) open_matrix();
    session_.warn(input_->warnings());
  }

  void plan() {
    const WritePlan plan{source_ ? 1 : 0, options_.output, target_->bytes_planned(), kept_bytes()};
    tell_write_plan(
        plan, [this](MemoryBudget& trial) { return take_all(trial); }, session_);
  }

  std::size_t least_bytes() {
    return least_memory([this](MemoryBudget& trial) { return take_all(trial); }, kept_bytes());
  }

  void compute() {
    while (source_ && !write_matrix()) target_->start_over();
    session_.console.end_progress();
    target_->commit(outcome_, budget_);
    report();
  }

 private:
  std::size_t kept_bytes() const { return budget_.limit() - budget_.available(); }

  // The pass, then what else is written.
  PipelinePlan take_all(MemoryBudget& trial) {
    const Claim kept = trial.claim("what is kept", kept_bytes());
    { const Claim rest = trial.claim("arrays that are carried over", target_->rest_bytes(outcome_.shape)); }
    if (!source_) return {};
    const std::size_t writes = target_->memory_bytes(pass_, trial) + (pass_.keeps_chunks ? copied_bytes(matrix()) : 0);
    const Claim out = trial.claim("matrices that are carried over", writes);
    OpSpec ops;
    ops.value_type = ValueType::f64;  // whatever the values turn out to be
    return plan_pipeline(*source_, ops, trial, pipeline_options());
  }

  // An h5ad without X becomes one without X.
  bool has_matrix() const {
    const io::FileInfo& info = input_->info();
    return session_.options.layer != "X" || info.format != io::Format::h5ad ||
           std::any_of(info.matrices.begin(), info.matrices.end(), [](const io::MatrixInfo& m) { return m.name == "X"; }) ||
           std::any_of(info.problems.begin(), info.problems.end(), [](const io::Problem& p) { return p.matrix == "X"; });
  }

  const io::MatrixInfo& matrix() { return input_->matrix(); }

  void open_matrix() {
    source_ = input_->source(budget_);
    session_.report.set_matrix(matrix());
    pass_ = {source_->shape(), target_->value_type(input_->info(), matrix()), plan_.keeps_chunks};
    read_type_ = pass_.value_type.ends_with("64") ? ValueType::f64 : source_->natural_value_type();
  }

  // One pass. False: it has to be done again, in another way.
  bool write_matrix() {
    try {
      EncodeValues work(target_->begin(pass_, budget_), matrix().name, *target_);
      count(walk_chunks(*source_, read_type_, work, pageable_memory(), budget_, pipeline_options()));
      outcome_.digest = work.digest();
      pass_.shape.nnz = outcome_.nnz;
      outcome_.shape = pass_.shape;
      outcome_.value_type = pass_.value_type;
      return target_->finish(outcome_);
    } catch (const NeedsWiderValues&) {
      read_type_ = ValueType::f64;
      const bool are_integers = matrix().data.type.find("int") != std::string::npos;
      if (are_integers && plan_.dtype.empty() && pass_.value_type == "float32") pass_.value_type = "float64";
    } catch (const io::NeedsNewIndices&) {
      pass_.keeps_chunks = false;
    } catch (const io::NotWholeNumbers&) {
      pass_.whole = false;
    }
    ++outcome_.run.passes;
    return false;
  }

  void count(const RunReport& run) {
    add(outcome_.run, run);
    outcome_.nnz = run.nnz;
  }

  void report() {
    const RunReport& run = outcome_.run;
    session_.report.set_run(facts_of(run, budget_));
    tell(outcome_, options_, source_ ? matrix().name : "no matrix", session_);
    note_memory(budget_, session_);
  }

  PipelineOptions pipeline_options() { return streaming_options(session_, outcome_.shape.n_rows, options_.test_slots); }

  const ConvertOptions& options_;
  Session& session_;
  ConvertPlan plan_;
  MemoryBudget budget_;
  std::unique_ptr<ConvertTarget> target_;
  std::unique_ptr<io::Input> input_;
  std::unique_ptr<ChunkSource> source_;  // null: there is no X
  ValueType read_type_ = ValueType::f32;
  ConvertPass pass_;
  ConvertOutcome outcome_;
};

void Convert::run(Session& session) { open_and_run<ConvertRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_convert() { return std::make_unique<Convert>(); }

}  // namespace quern::cli
