// `quern convert`: from one format or layout to another.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/command.hpp"
#include "cli/convert_run.hpp"
#include "cli/convert_work.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/signals.hpp"
#include "cli/write_plan.hpp"
#include "io/carry/from_tenx.hpp"
#include "io/carry/matrix_out.hpp"

namespace quern::cli {
namespace {

class Convert final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("Outputs");
    declare_h5ad_output(set, options_.output, options_.no_provenance);
    set.text(
        "--compression", "HOW", options_.compression,
        "of X: none, gzip:1 to gzip:9, lzf, zstd:1 to zstd:19, blosc:1 to blosc:9 (default: gzip:1, or the stored chunks as they are)");
    set.integer("--chunk", "N", options_.chunk, 1, "entries in a stored chunk of X (default: 262144)");
    set.choice("--dtype", {"keep", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"},
               options_.dtype, "type of the values of X");
    declare_passes(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  ConvertOptions options_;
};

// X of a new h5ad.
class X final : public ConvertOutput {
 public:
  explicit X(io::MatrixOut& out) : out_(out) {}
  void append(const ChunkBuffer& chunk, std::span<const std::byte> values) override { out_.append(chunk, values); }

 private:
  io::MatrixOut& out_;
};

// What one run holds while it lasts; members are destroyed from the last to the first.
class ConvertRun {
 public:
  ConvertRun(const ConvertOptions& options, Session& session)
      : options_(options), session_(session), plan_(check_options(options)), budget_(session.options.memory_bytes) {}

  void open() {
    if (options_.output.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
    writing_.emplace(options_.output, !options_.no_provenance, session_);
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    options.depth = H5adWriting::depth;
    if (options.tmp_dir.empty()) options.tmp_dir = std::filesystem::absolute(options_.output).parent_path().string();
    input_ = io::Input::open(session_.options.input, options);
    writing_->open(*input_, has_matrix() ? added_bytes(input_->info(), matrix(), plan_) : 0);
    warn_of_compression(plan_.compression, session_);
    session_.report.set_backend("cpu", "");
    session_.report.set_input(input_->info());
    outcome_.format = "h5ad";
    if (has_matrix()) open_matrix();
    session_.warn(input_->warnings());
  }

  void plan() {
    PipelinePlan ring;
    Claim claim;
    if (source_) {
      OpSpec ops;
      ops.value_type = read_type_;
      claim = budget_.claim("matrices that are carried over", io::MatrixOut::memory_bytes(output_shape(), matrix_options(), budget_));
      ring = plan_pipeline(*source_, ops, budget_, pipeline_options());
    }
    tell_write_plan(source_ ? 1 : 0, options_.output, ring, budget_, writing_->bytes_planned(), session_);
  }

  void compute() {
    if (source_) writing_->stream([&] { write_matrix(); });
    carry_over();
    report();
  }

 private:
  // An h5ad without X becomes one without X.
  bool has_matrix() const {
    const auto is_x = [](const auto& entry) { return entry == "X"; };
    const io::FileInfo& info = input_->info();
    return session_.options.layer != "X" || info.format != io::Format::h5ad ||
           std::any_of(info.matrices.begin(), info.matrices.end(), [&](const io::MatrixInfo& m) { return is_x(m.name); }) ||
           std::any_of(info.problems.begin(), info.problems.end(), [&](const io::Problem& p) { return is_x(p.matrix); });
  }

  void open_matrix() {
    if (matrix().name == "raw")
      throw usage_error("raw-genes", "--layer raw", "raw has its own genes, which need not be those of var", "convert X or a layer");
    source_ = input_->source(budget_);
    session_.report.set_matrix(matrix());
    outcome_.shape = source_->shape();
    outcome_.value_type = plan_.dtype.empty() ? io::scanpy_value_type(input_->info(), matrix()) : plan_.dtype;
    keeps_chunks_ = plan_.keeps_chunks;
    read_type_ = outcome_.value_type.ends_with("64") ? ValueType::f64 : source_->natural_value_type();
  }

  const io::MatrixInfo& matrix() { return input_->matrix(); }

  // The entries of a dense matrix are known once it has been read; until then all of it counts.
  MatrixShape output_shape() const {
    MatrixShape shape = outcome_.shape;
    if (shape.nnz < 0) shape.nnz = shape.n_rows * shape.n_cols;
    return shape;
  }

  io::MatrixOutOptions matrix_options() {
    io::MatrixOutOptions options;
    options.compression = plan_.compression;
    options.threads = session_.options.threads;
    options.from = keeps_chunks_ && !session_.options.dry_run ? writing_->from() : nullptr;
    options.matrix = &matrix();
    options.keeps_data = outcome_.value_type == matrix().data.type;
    options.stored_type = outcome_.value_type;
    options.chunk_length = plan_.chunk_length;
    return options;
  }

  void write_matrix() {
    for (;;) {
      io::MatrixOut out(writing_->file(), output_shape(), matrix_options(), budget_);
      try {
        return write_matrix(out);
      } catch (const NeedsWiderValues&) {
        read_type_ = ValueType::f64;
        const bool are_integers = matrix().data.type.find("int") != std::string::npos;
        if (are_integers && plan_.dtype.empty() && outcome_.value_type == "float32") outcome_.value_type = "float64";
      } catch (const io::NeedsNewIndices&) {
        keeps_chunks_ = false;
      }
      out.give_up();
      writing_->start_over();
    }
  }

  void write_matrix(io::MatrixOut& out) {
    X x(out);
    EncodeValues work(out.value_type(), matrix().name, x);
    RunReport& run = outcome_.run;
    const int passes = run.passes;
    run = walk_chunks(*source_, read_type_, work, pageable_memory(), budget_, pipeline_options());
    run.passes += passes;
    session_.console.end_progress();
    out.finish();
    outcome_.nnz = run.nnz;
    outcome_.copied_indices = out.copies();
    outcome_.copied_data = out.copies_data();
    outcome_.digest = work.digest();
  }

  void carry_over() {
    io::CarryOptions options;
    options.with_x = false;
    const bool has_x = source_ != nullptr;
    const std::int64_t n_obs = has_x ? outcome_.shape.n_rows : input_->info().n_obs;
    const std::int64_t n_vars = has_x ? outcome_.shape.n_cols : input_->info().n_vars;
    outcome_.shape = {n_obs, n_vars, outcome_.nnz};
    const Parameters parameters{{"layer", has_x ? matrix().name : "none"}, {"value_type", outcome_.value_type}};
    writing_->write(std::move(options), {n_obs, n_vars, has_x}, parameters, outcome_.digest, budget_);
    outcome_.file_bytes = writing_->file_bytes();
  }

  void report() {
    const RunReport& run = outcome_.run;
    RunFacts facts;
    facts.threads = run.threads;
    facts.passes = run.passes;
    facts.chunks = run.chunks;
    facts.bytes_read = run.bytes_read;
    facts.values = run.nnz;
    facts.budget_bytes = budget_.limit();
    facts.compute_seconds = run.seconds;
    facts.seconds = {{"compute", run.seconds}};
    session_.report.set_run(facts);
    tell(outcome_, options_, source_ ? matrix().name : "no matrix", session_);
    for (const MemoryBudget::Row& row : budget_.table())
      session_.console.note("memory: " + row.what + " " + std::to_string(row.peak_bytes) + " bytes at most");
  }

  PipelineOptions pipeline_options() {
    PipelineOptions options;
    options.threads = session_.options.threads;
    options.chunk_nnz = session_.options.chunk_nnz;
    if (options_.test_slots > 0) {
      options.n_slots = static_cast<int>(std::min<std::int64_t>(options_.test_slots, 4096));
      options.poison = true;
    }
    options.stop = &stop_flag();
    const std::int64_t n_rows = outcome_.shape.n_rows;
    options.progress = [this, n_rows](std::int64_t rows, std::int64_t values) { session_.console.progress(rows, n_rows, values); };
    return options;
  }

  const ConvertOptions& options_;
  Session& session_;
  ConvertPlan plan_;
  MemoryBudget budget_;
  std::optional<H5adWriting> writing_;
  std::unique_ptr<io::Input> input_;
  std::unique_ptr<ChunkSource> source_;  // null: there is no X
  ValueType read_type_ = ValueType::f32;
  bool keeps_chunks_ = true;
  ConvertOutcome outcome_;
};

void Convert::run(Session& session) {
  ConvertRun run(options_, session);
  run.open();
  if (session.options.dry_run)
    run.plan();
  else
    run.compute();
}

}  // namespace

std::unique_ptr<Command> make_convert() { return std::make_unique<Convert>(); }

}  // namespace quern::cli
