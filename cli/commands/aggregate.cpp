// `quern aggregate`: scanpy's get.aggregate, streamed.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/aggregate_run.hpp"
#include "cli/command.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/selected_matrix.hpp"
#include "cli/signals.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"

namespace quern::cli {
namespace {

class Aggregate final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("What is computed");
    set.text("--by", "COL[,COL]", options_.by, "columns of obs: cells of the same labels are added up");
    set.text("--func", "NAME,...", options_.func, "of each gene and group: sum (default), mean, var (ddof 1), count_nonzero");
    declare_values_on(set, options_.on);
    set.group("Outputs");
    set.output("-o,--output", "H5AD|TSV|-", options_.output,
               "a cell a group, a layer a function; or a table, a line a gene (.tsv, .tsv.gz)");
    set.flag("--no-provenance", options_.no_provenance, "leave out uns/quern, which tells how an h5ad came about");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  AggregateOptions options_;
};

bool is_integer(const std::string& type) { return type.starts_with("int") || type.starts_with("uint") || type == "bool"; }

// What one run holds while it lasts; members are destroyed from the last to the first.
class AggregateRun {
 public:
  AggregateRun(const AggregateOptions& options, Session& session)
      : options_(options), session_(session), plan_(check_options(options)), budget_(session.options.memory_bytes) {}

  void open() {
    use_processor("aggregate adds up genes", session_);
    stamps_ = io::InputStamps(session_.output_options().inputs);
    if (plan_.writes_h5ad)
      writing_.emplace(options_.output, !options_.no_provenance, session_);
    else
      open_table();
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    options.labels = plan_.by;
    if (writing_) options.depth = H5adWriting::depth;
    if (options.tmp_dir.empty() && options_.output != "-")
      options.tmp_dir = std::filesystem::absolute(options_.output).parent_path().string();
    input_ = io::Input::open(session_.options.input, options);
    session_.report.set_input(input_->info());
    session_.report.set_matrix(input_->matrix());
    session_.warn(input_->warnings());
    groups_ = read_groups(*input_, plan_.by, "--by", budget_);
    if (writing_) writing_->open(*input_, layer_bytes(), false);
    values_.emplace(input_->source(budget_), plan_.on, input_->matrix());
    outcome_.shape = values_->source().shape();
    if (outcome_.shape.n_rows == 0 || outcome_.shape.n_cols == 0)
      throw input_error("empty-matrix", input_->matrix().name, "has no cells or no genes").in_file(session_.options.input);
    warn_of_values_on(plan_.on, input_->info(), session_);
    require_room_for_sums(groups_, plan_.wants(), values_->source(), budget_, pipeline_options());
  }

  void plan() {
    const Claim sums = budget_.claim("sums of groups", GroupFold::bytes(groups_.n_groups(), outcome_.shape.n_cols, plan_.wants()));
    OpSpec ops;
    ops.value_type = values_->source().natural_value_type();
    const PipelinePlan ring = plan_pipeline(values_->source(), ops, budget_, pipeline_options());
    tell_write_plan(1 + values_->extra_passes(), options_.output, ring, budget_, layer_bytes(), session_);
  }

  void compute() {
    values_->find_target(budget_, pipeline_options(), outcome_.run);
    outcome_.target_sum = values_->target();
    GroupFold fold(groups_.n_groups(), outcome_.shape.n_cols, plan_.wants(), budget_);
    add_up(fold);
    session_.console.end_progress();
    const Claim row = budget_.claim("results of genes", static_cast<std::size_t>(outcome_.shape.n_cols) * 2 * sizeof(double));
    const bool whole_sums = fold.is_whole() && (!plan_.writes_h5ad || (!plan_.on.mapped() && is_integer(input_->matrix().data.type)));
    const GroupResults results{fold, groups_, whole_sums};
    outcome_.n_ungrouped = std::count(groups_.of_cell.begin(), groups_.of_cell.end(), -1);
    // Of the numbers, not of the types that a format gives them.
    outcome_.digest = aggregate_digest({fold, groups_, fold.is_whole()}, plan_.funcs);
    warn_of_stored_values(plan_.on, outcome_.stored, input_->info(), input_->matrix().name, outcome_.shape, session_);
    warn_of_groups(groups_, outcome_, plan_, session_);
    write(results);
    session_.report.set_run(facts_of(outcome_.run, budget_));
    tell(outcome_, groups_, options_, plan_, input_->matrix().name, session_);
    note_memory(budget_, session_);
  }

 private:
  void open_table() {
    if (!session_.options.dry_run)
      table_ = session_.open_output(options_.output);
    else if (options_.output != "-")
      io::resolve_output(options_.output, session_.output_options());  // says now what the run would say
  }

  std::int64_t layer_bytes() {
    const auto each = static_cast<std::int64_t>(sizeof(double) * plan_.funcs.size());
    return groups_.n_groups() * input_->n_vars() * each;
  }

  void add_up(GroupFold& fold) {
    FoldGroups work(fold, groups_);
    const RunReport run = fold_groups(values_->source(), values_->source().natural_value_type(), work, budget_, pipeline_options());
    add(outcome_.run, run);
    outcome_.run.nnz = run.nnz;
    outcome_.stored = values_->stored_facts(run.facts);
  }

  void write(const GroupResults& results) {
    if (writing_) return write_h5ad(results);
    write_aggregate_table(results, plan_.funcs, *input_->column_names(), *table_);
    stamps_.check();
    table_->commit();
  }

  void write_h5ad(const GroupResults& results) {
    io::NewCells cells = aggregate_cells(results, plan_.funcs);
    const io::FileInfo& info = input_->info();
    cells.genes = input_->matrix().name == "raw" ? info.raw_var.path : info.var.path;
    cells.stop = &stop_flag();
    const auto write_all = [&](const H5adWriting::AddUns& add_uns) {
      cells.add_uns = add_uns;
      return io::write_new_cells(*writing_->from(), writing_->file(), cells, budget_);
    };
    writing_->write_by(write_all, {cells.n_cells, cells.n_genes, false}, parameters(), outcome_.digest);
  }

  Parameters parameters() {
    return {{"layer", input_->matrix().name}, {"by", options_.by}, {"func", options_.func}, {"on", plan_.on.text()}};
  }

  PipelineOptions pipeline_options() { return streaming_options(session_, outcome_.shape.n_rows, options_.test_slots); }

  const AggregateOptions& options_;
  Session& session_;
  AggregatePlan plan_;
  MemoryBudget budget_;
  io::InputStamps stamps_;
  std::optional<H5adWriting> writing_;
  std::unique_ptr<io::TextOutput> table_;
  std::unique_ptr<io::Input> input_;
  CellGroups groups_;
  std::optional<ValuesSource> values_;
  AggregateOutcome outcome_;
};

void Aggregate::run(Session& session) { open_and_run<AggregateRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_aggregate() { return std::make_unique<Aggregate>(); }

}  // namespace quern::cli
