// `quern qc`: scanpy's calculate_qc_metrics, streamed.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "cli/command.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/qc_h5ad.hpp"
#include "cli/qc_run.hpp"
#include "cli/qc_tables.hpp"
#include "cli/streaming.hpp"
#include "io/carry/from_tenx.hpp"

namespace quern::cli {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

class Qc final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("What is computed");
    set.list("--qc-vars", "NAME[=REGEX|=@FILE]", options_.qc_vars,
             "groups of genes whose share is wanted: mt (on by default) and ribo are ready-made, NAME=REGEX and NAME=@FILE are your own, "
             "none turns "
             "all off");
    set.text("--percent-top", "N,...|none", options_.percent_top, "shares of the N largest genes of a cell (default: 50,100,200,500)");
    set.flag("--moments", options_.moments, "also the mean and variance of each gene's values and of their log1p CPM");
    set.flag("--legacy-names", options_.legacy_names, "also the old names: n_counts, n_genes, n_cells, percent_NAME (a fraction)");
    set.group("Outputs");
    declare_h5ad_output(set, options_.h5ad_out, options_.no_provenance);
    set.output("--cells-out", "TSV|-", options_.cells_out, "a line for each cell; a name ending in .gz is compressed");
    set.output("--genes-out", "TSV|-", options_.genes_out, "a line for each gene");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  QcOptions options_;
};

// What one run holds while it lasts; members are destroyed from the last to the first.
class QcRun {
 public:
  QcRun(const QcOptions& options, Session& session) : options_(options), session_(session), budget_(session.options.memory_bytes) {}

  void open() {
    rules_ = parse_qc_vars(options_.qc_vars);
    const std::vector<std::int64_t> percent_top = parse_percent_top(options_.percent_top);
    for (const GeneSetRule& rule : rules_)
      if (!rule.file.empty()) session_.inputs.push_back(rule.file);
    stamps_ = io::InputStamps(session_.output_options().inputs);
    BackendChoice choice = choose_backend(session_.options);
    tell_choice(choice, session_);
    verified_ = std::move(choice.verified);
    backend_ = std::move(choice.backend);
    if (!options_.h5ad_out.empty()) h5ad_.emplace(options_.h5ad_out, !options_.no_provenance, session_);
    cells_output_ = open_table(options_.cells_out, "--cells-out");
    genes_output_ = open_table(options_.genes_out, "--genes-out");
    io::InputOptions options = with_tmp_dir(input_options(session_.options));
    options.budget = &budget_;
    if (h5ad_) options.depth = H5adWriting::depth;
    input_ = io::Input::open(session_.options.input, options);
    if (h5ad_) h5ad_->open(*input_, 0);
    source_ = input_->source(budget_);
    describe_input();
    ops_.rows.percent_top = usable_percent_top(percent_top, facts_.shape.n_cols, session_);
    ops_.columns.moments = options_.moments;
    gene_names_ = input_->column_names();
    sets_ = match_gene_sets(rules_, *gene_names_, budget_);
    ops_.gene_sets = sets_.members;
    ops_.n_gene_sets = static_cast<int>(sets_.sets.size());
    if (!options_.cells_out.empty()) cell_names_ = input_->row_names();
    session_.warn(input_->warnings());
    warn_of_names(rules_, sets_, session_);
    make_sinks();
  }

  void plan() { tell_plan(*source_, *backend_, ops_, budget_, pipeline_options(), options_, session_); }

  void compute() {
    const RunReport run = run_pipeline(*source_, *backend_, ops_, sinks_, budget_, pipeline_options());
    session_.console.end_progress();
    const QcTotals totals = summary_->totals(session_.options.threads);
    tell_backend(*backend_, session_);
    warn_of_values(run.facts, totals.integer_mode, facts_, session_);
    const double before_writing = seconds_since(started_);
    stamps_.check();
    if (h5ad_) write_h5ad(totals.digest);
    if (cells_output_) cells_output_->commit();
    if (genes_output_) genes_output_->commit();
    const DeviceTraffic traffic = backend_->device_traffic();
    RunFacts facts = facts_of(run, budget_);
    facts.peak_device_bytes = backend_->peak_device_bytes();
    facts.bytes_to_device = traffic.bytes_to_device;
    facts.verified_chunks = verified_->verified;
    facts.seconds = {
        {"open", opened_}, {"compute", run.seconds}, {"device", traffic.seconds}, {"write", seconds_since(started_) - before_writing}};
    session_.report.set_run(facts);
    tell(facts_, sets_, totals, run, backend_->name(), options_, session_);
    note_memory(budget_, session_);
  }

 private:
  std::unique_ptr<io::TextOutput> open_table(const std::string& target, const std::string& option) {
    if (target.empty()) return nullptr;
    refuse_other_tables(target, option);
    if (!session_.options.dry_run) return session_.open_output(target);
    if (target != "-") io::resolve_output(target, session_.output_options());  // says now what the run would say
    return nullptr;
  }

  // Temporary files go where a table goes, unless told otherwise.
  io::InputOptions with_tmp_dir(io::InputOptions options) const {
    namespace fs = std::filesystem;
    for (const std::string& target : {options_.h5ad_out, options_.cells_out, options_.genes_out}) {
      const bool is_file = !target.empty() && target != "-" && (!fs::exists(target) || fs::is_regular_file(target));
      if (options.tmp_dir.empty() && is_file) options.tmp_dir = fs::absolute(target).parent_path().string();
    }
    return options;
  }

  void describe_input() {
    const io::MatrixInfo& matrix = input_->matrix();
    facts_ = {matrix.name, source_->shape(), matrix.nnz, input_->info().has_raw};
    session_.report.set_input(input_->info());
    session_.report.set_matrix(matrix);
    session_.console.note("reading " + matrix.name + " of " + session_.options.input);
  }

  void make_sinks() {
    opened_ = seconds_since(started_);
    QcColumns columns{ops_.rows.percent_top, {}, options_.legacy_names, options_.moments, facts_.shape.n_rows};
    for (const GeneSets::Set& set : sets_.sets) columns.set_names.push_back(set.name);
    summary_.emplace(facts_.shape.n_rows, ops_.n_gene_sets, budget_);
    sinks_.push_back(&*summary_);
    if (cells_output_) sinks_.push_back(&cells_table_.emplace(columns, *cells_output_));
    if (h5ad_) {
      io::MatrixInfo as_scanpy_has_it = input_->matrix();
      const io::Format format = input_->info().format;
      if (format == io::Format::mtx_v2 || format == io::Format::mtx_v3) as_scanpy_has_it.storage = io::Storage::csc;
      as_scanpy_has_it.data.type = io::scanpy_value_type(input_->info(), input_->matrix());
      sinks_.push_back(&annotations_.emplace(columns, sets_, as_scanpy_has_it, budget_));
    }
    if (genes_output_) sinks_.push_back(&genes_table_.emplace(columns, *gene_names_, *genes_output_, session_.options.threads));
  }

  void write_h5ad(const std::string& digest) {
    io::CarryOptions options;
    options.obs = annotations_->obs();
    (facts_.matrix_name == "raw" ? options.raw_var : options.var) = annotations_->var();
    Parameters parameters{{"layer", facts_.matrix_name}, {"percent_top", fmt::format("{}", fmt::join(ops_.rows.percent_top, ","))}};
    if (!options_.qc_vars.empty()) parameters.emplace_back("qc_vars", fmt::format("{}", fmt::join(options_.qc_vars, " ")));
    const io::FileInfo& info = input_->info();
    const bool is_h5ad = info.format == io::Format::h5ad;
    const bool has_x = !is_h5ad || (!info.matrices.empty() && info.matrices.front().name == "X");
    const io::ExpectedH5ad expected{is_h5ad ? info.n_obs : facts_.shape.n_rows, is_h5ad ? info.n_vars : facts_.shape.n_cols, has_x};
    h5ad_->write(std::move(options), expected, parameters, digest, budget_);
  }

  PipelineOptions pipeline_options() {
    PipelineOptions options = streaming_options(session_, facts_.shape.n_rows, options_.test_slots);
    options.default_chunk_nnz = backend_->chunk_nnz();
    options.row_names = cell_names_.get();
    options.text_bytes_per_row = cells_table_ ? cells_table_->text_bytes_per_row() : 0;
    return options;
  }

  const QcOptions& options_;
  Session& session_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  double opened_ = 0;
  MemoryBudget budget_;
  io::InputStamps stamps_;
  std::vector<GeneSetRule> rules_;
  std::unique_ptr<VerifyCount> verified_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<io::TextOutput> cells_output_, genes_output_;
  std::unique_ptr<io::Input> input_;
  std::unique_ptr<ChunkSource> source_;
  QcInput facts_;
  OpSpec ops_;
  std::unique_ptr<NameSource> gene_names_, cell_names_;
  GeneSets sets_;
  std::optional<QcSummary> summary_;
  std::optional<CellsTable> cells_table_;
  std::optional<GenesTable> genes_table_;
  std::optional<H5adWriting> h5ad_;
  std::optional<QcAnnotations> annotations_;
  std::vector<Sink*> sinks_;
};

void Qc::run(Session& session) { open_and_run<QcRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_qc() { return std::make_unique<Qc>(); }

}  // namespace quern::cli
