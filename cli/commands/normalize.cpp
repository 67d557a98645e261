// `quern normalize`: scanpy's normalize_total and log1p, streamed.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>

#include "cli/command.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/normalize_run.hpp"
#include "cli/normalize_work.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"
#include "io/carry/copy_text.hpp"

namespace quern::cli {
namespace {

constexpr double euler = 2.718281828459045;  // its logarithm is exactly 1 in floating point

class Normalize final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("What is computed");
    set.text("--target-sum", "N|median", options_.target_sum, "counts that every cell gets (default: the median of cells with counts)");
    set.flag("--cpm", options_.cpm, "counts per million: --target-sum 1e6");
    set.flag("--no-log1p", options_.no_log1p, "leave the logarithm out");
    set.number("--base", "B", options_.base, "base of the logarithm (default: e)");
    set.flag("--exclude-highly-expressed", options_.exclude_highly_expressed,
             "leave genes that make up more than --max-fraction of some cell out of all totals");
    set.number("--max-fraction", "F", options_.max_fraction, "of a cell's counts (default 0.05)");
    set.group("Outputs");
    declare_h5ad_output(set, options_.output, options_.no_provenance);
    set.text("--key-added", "NAME", options_.key_added, "column of obs for the size factors (total / target)");
    set.text("--counts-layer", "NAME", options_.counts_layer, "layer that keeps the values as they were");
    set.text("--compression", "HOW", options_.compression,
             "of X: none, gzip:1 to gzip:9, lzf, zstd:1 to zstd:19, blosc:1 to blosc:9 (default gzip:1)");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  NormalizeOptions options_;
};

// What one run holds while it lasts; members are destroyed from the last to the first.
class NormalizeRun {
 public:
  NormalizeRun(const NormalizeOptions& options, Session& session)
      : options_(options), session_(session), plan_(check_options(options)), budget_(run_budget(session)) {}

  void open() {
    if (options_.output.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
    use_backend();
    writing_.emplace(options_.output, !options_.no_provenance, session_);
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    options.depth = H5adWriting::depth;
    if (options.tmp_dir.empty()) options.tmp_dir = std::filesystem::absolute(options_.output).parent_path().string();
    input_ = io::Input::open(session_.options.input, options);
    writing_->open(*input_, added_bytes(input_->info(), matrix(), options_, plan_));
    source_ = input_->source(budget_);
    session_.report.set_input(input_->info());
    session_.report.set_matrix(matrix());
    session_.warn(input_->warnings());
    if (matrix().name != "raw") warn_before_normalizing(input_->info(), session_);
    warn_of_compression(plan_.compression, session_);
    value_type_ = matrix().data.type == "float64" ? ValueType::f64 : ValueType::f32;
    read_type_ = source_->natural_value_type();
    outcome_.shape = source_->shape();
  }

  void plan() {
    MemoryBudget planned(std::max(session_.options.memory_bytes, least_bytes()));
    const Claim kept = planned.claim("what is kept", kept_bytes());
    const int passes = plan_.passes(options_);
    const std::size_t cache = passes > 1 ? room_for_cache(*source_, read_type_, planned, pipeline_options()) : 0;
    const WritePlan plan{passes, options_.output, writing_->bytes_planned(), cache, PackedCache::least_bytes(outcome_.shape), kept_bytes()};
    tell_write_plan(
        plan, [this](MemoryBudget& trial) { return take_all(trial); }, session_);
  }

  std::size_t least_bytes() {
    return least_memory([this](MemoryBudget& trial) { return take_all(trial); }, kept_bytes());
  }

  void compute() {
    outcome_.target_sum = plan_.target_sum;
    outcome_.run = {};
    if (plan_.passes(options_) > 1) source_ = keep_for_later(std::move(source_), read_type_, budget_, pipeline_options(), cache_);
    if (options_.exclude_highly_expressed) find_dominant();
    if (plan_.target_sum == 0) find_median();
    if (!options_.key_added.empty()) keep_factors();
    writing_->stream([&] { write_matrix(); });
    carry_over();
    report();
  }

 private:
  const io::MatrixInfo& matrix() { return input_->matrix(); }

  std::size_t kept_bytes() const { return budget_.limit() - budget_.available(); }

  // The pass that writes, then what is carried over.
  PipelinePlan take_all(MemoryBudget& trial) {
    const auto per_cell = static_cast<std::size_t>(outcome_.shape.n_rows) * sizeof(double);
    const std::size_t genes = options_.exclude_highly_expressed ? static_cast<std::size_t>(outcome_.shape.n_cols) : 0;
    const std::size_t totals = plan_.target_sum == 0 ? per_cell : 0, factors = options_.key_added.empty() ? 0 : per_cell;
    const Claim kept = trial.claim("what is kept", kept_bytes() + genes + totals);
    const Claim copy = trial.claim("totals of the cells", std::max(totals, factors));
    {
      const Claim carried =
          trial.claim("arrays that are carried over", writing_->carry_bytes(outcome_.shape.n_rows, outcome_.shape.n_cols));
    }
    const std::size_t writes = io::MatrixOut::memory_bytes(output_shape(), matrix_options(), trial) + copied_bytes(matrix());
    const Claim out = trial.claim("matrices that are carried over", writes);
    OpSpec ops;
    ops.value_type = ValueType::f64;  // whatever the values turn out to be
    return plan_pipeline(*source_, ops, trial, pipeline_options());
  }

  void use_backend() {
    BackendChoice choice = choose_backend(session_.options);
    tell_choice(choice, session_);
    verified_ = std::move(choice.verified);
    backend_ = std::move(choice.backend);
  }

  // One pass; again with 64-bit values where 32 bits do not hold them.
  template <class Work>
  void walk(Work& work) {
    for (;;) {
      try {
        return count(walk_chunks(*source_, read_type_, work, pageable_memory(), budget_, pipeline_options()));
      } catch (const NeedsWiderValues&) {
        read_type_ = ValueType::f64;
      }
    }
  }

  void count(const RunReport& run) {
    add(outcome_.run, run);
    outcome_.run.facts = run.facts;
    outcome_.nnz = run.nnz;
  }

  void find_dominant() {
    gene_claim_ = budget_.claim("genes left out of totals", static_cast<std::size_t>(outcome_.shape.n_cols));
    FindDominantGenes work(outcome_.shape.n_cols, options_.max_fraction);
    walk(work);
    left_out_ = std::move(work.seen());
    outcome_.n_excluded = std::count(left_out_.begin(), left_out_.end(), 1);
  }

  void find_median() {
    const std::size_t n_rows = static_cast<std::size_t>(outcome_.shape.n_rows);
    totals_claim_ = budget_.claim("totals of the cells", n_rows * sizeof(double));
    totals_.resize(n_rows);
    CollectTotals work(outcome_.shape.n_cols, left_out_, totals_);
    walk(work);
    keep_indices_ = !work.rearranged();
    const Claim copy = budget_.claim("totals of the cells", n_rows * sizeof(double));
    outcome_.target_sum = median_of_positive(totals_);
  }

  void keep_factors() {
    const std::size_t n_rows = static_cast<std::size_t>(outcome_.shape.n_rows);
    factors_claim_ = budget_.claim("size factors of the cells", n_rows * sizeof(double));
    factors_.resize(n_rows);
  }

  // The entries of a dense matrix are known once it has been read; until then all of it counts.
  MatrixShape output_shape() const {
    MatrixShape shape = outcome_.shape;
    if (shape.nnz < 0) shape.nnz = outcome_.run.passes > 0 ? outcome_.nnz : shape.n_rows * shape.n_cols;
    return shape;
  }

  io::MatrixOutOptions matrix_options() {
    io::MatrixOutOptions options;
    options.value_type = value_type_;
    options.compression = plan_.compression;
    options.threads = session_.options.threads;
    options.from = keep_indices_ && !session_.options.dry_run ? writing_->from() : nullptr;
    options.matrix = &matrix();
    return options;
  }

  void write_matrix() {
    for (;;) {
      io::MatrixOut out(writing_->file(), output_shape(), matrix_options(), budget_);
      try {
        return write_matrix(out);
      } catch (const NeedsWiderValues&) {
        read_type_ = ValueType::f64;
      } catch (const io::NeedsNewIndices&) {
        keep_indices_ = false;
      }
      out.give_up();
      writing_->start_over();
    }
  }

  void write_matrix(io::MatrixOut& out) {
    const auto mapping = backend_->open_mapping(plan_.map, value_type_, output_shape(), budget_);
    WriteNormalized work({outcome_.shape.n_cols, outcome_.target_sum, left_out_, totals_, factors_, value_type_}, *mapping, out);
    count(walk_chunks(*source_, read_type_, work, backend_->ring_memory(), budget_, pipeline_options()));
    session_.console.end_progress();
    out.finish();
    outcome_.copied_indices = out.copies();
    outcome_.n_empty = work.n_empty();
    outcome_.n_made_nan = work.n_made_nan();
    outcome_.digest = work.digest();
  }

  void carry_over() {
    io::CarryOptions options;
    options.with_x = false;
    options.raw_as_x = matrix().name == "raw";
    if (!options_.key_added.empty()) options.obs.push_back(factor_column());
    if (!options_.counts_layer.empty()) {
      options.without_layers.push_back(options_.counts_layer);
      options.add_layers = [this](const io::OutputGroup& layers, const io::CopyElement& copy) {
        copy(io::element_path(matrix()), layers, options_.counts_layer);
      };
    }
    options.without_uns.emplace_back("log1p");
    if (plan_.map.logarithm) options.add_uns = [this](const io::OutputGroup& uns, const io::CopyElement&) { write_log1p(uns); };
    const auto start = std::chrono::steady_clock::now();
    writing_->write(std::move(options), {outcome_.shape.n_rows, outcome_.shape.n_cols, true}, parameters(), outcome_.digest, budget_);
    outcome_.write_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() - writing_->sync_seconds();
    outcome_.file_bytes = writing_->file_bytes();
  }

  io::NewColumn factor_column() const {
    const bool wide = value_type_ == ValueType::f64;
    io::NewColumn column{options_.key_added, wide ? io::ColumnType::float64 : io::ColumnType::float32, {}};
    column.fill = [this, wide](RowRange rows, std::byte* out) {
      for (std::int64_t row = rows.first; row < rows.last; ++row) {
        const double factor = factors_[static_cast<std::size_t>(row)];
        const auto narrow = static_cast<float>(factor);
        const std::size_t bytes = wide ? sizeof factor : sizeof narrow;
        std::memcpy(out, wide ? static_cast<const void*>(&factor) : &narrow, bytes);
        out += bytes;
      }
    };
    return column;
  }

  // scanpy's None is a kind of value that anndata before 0.12 cannot read; e means the same to all that use the base.
  void write_log1p(const io::OutputGroup& uns) const {
    io::OutputGroup group = io::make_dict(uns, "log1p");
    io::write_number(group, "base", options_.base == 0 ? euler : options_.base);
    group.close();
  }

  Parameters parameters() {
    Parameters all{{"layer", matrix().name}, {"target_sum", fmt::format("{}", outcome_.target_sum)}};
    all.emplace_back("log1p", plan_.map.logarithm ? "true" : "false");
    if (options_.base != 0) all.emplace_back("base", fmt::format("{}", options_.base));
    if (options_.exclude_highly_expressed) all.emplace_back("max_fraction", fmt::format("{}", options_.max_fraction));
    return all;
  }

  void report() {
    warn_after_normalizing(outcome_, input_->info(), matrix().name, session_);
    const RunReport& run = outcome_.run;
    tell_backend(*backend_, session_);
    const DeviceTraffic traffic = backend_->device_traffic();
    RunFacts facts = facts_of(run, budget_);
    facts.peak_device_bytes = backend_->peak_device_bytes();
    facts.bytes_to_device = traffic.bytes_to_device;
    facts.verified_chunks = verified_->verified;
    facts.seconds = {
        {"compute", run.seconds}, {"device", traffic.seconds}, {"write", outcome_.write_seconds}, {"sync", writing_->sync_seconds()}};
    if (cache_) facts.cache = facts_of(*cache_);
    session_.report.set_run(facts);
    tell(outcome_, options_, plan_, matrix().name, session_);
    note_memory(budget_, session_);
  }

  PipelineOptions pipeline_options() {
    PipelineOptions options = streaming_options(session_, outcome_.shape.n_rows, options_.test_slots);
    options.default_chunk_nnz = backend_->chunk_nnz();
    return options;
  }

  const NormalizeOptions& options_;
  Session& session_;
  NormalizePlan plan_;
  MemoryBudget budget_;
  std::unique_ptr<VerifyCount> verified_;
  std::unique_ptr<Backend> backend_;
  std::optional<H5adWriting> writing_;
  std::unique_ptr<io::Input> input_;
  std::unique_ptr<ChunkSource> source_;
  const PackedCache* cache_ = nullptr;  // the source, where it is one
  ValueType value_type_ = ValueType::f32, read_type_ = ValueType::f32;
  bool keep_indices_ = true;
  Claim gene_claim_, totals_claim_, factors_claim_;
  std::vector<std::uint8_t> left_out_;
  std::vector<double> totals_, factors_;
  NormalizeOutcome outcome_;
};

void Normalize::run(Session& session) { open_and_run<NormalizeRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_normalize() { return std::make_unique<Normalize>(); }

}  // namespace quern::cli
