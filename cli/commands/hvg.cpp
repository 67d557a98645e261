// `quern hvg`: scanpy's highly_variable_genes, flavors seurat and cell_ranger, streamed.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <optional>

#include "cli/command.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/hvg_run.hpp"
#include "cli/selected_matrix.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"
#include "io/carry/copy_text.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

class Hvg final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("What is computed");
    declare_values_on(set, options_.on);
    set.choice("--flavor", {"seurat", "cell_ranger"}, options_.flavor, "how dispersions are normalised (default: seurat)");
    set.integer("--n-top", "N", options_.n_top, 1, "so many genes, those of the largest normalised dispersion, instead of the bounds");
    set.number("--min-mean", "V", options_.min_mean, "bounds of the mean (defaults 0.0125 and 3; not included)");
    set.number("--max-mean", "V", options_.max_mean, "");
    set.number("--min-disp", "V", options_.min_disp, "bounds of the normalised dispersion (defaults 0.5 and none)");
    set.number("--max-disp", "V", options_.max_disp, "");
    set.integer("--n-bins", "N", options_.n_bins, 1, "seurat: bins of mean expression (default 20)");
    set.text("--batch-key", "COL", options_.batch_key, "column of obs: within each of its groups first, then those of most groups");
    set.group("Outputs");
    set.output("-o,--output", "H5AD|TSV|-", options_.output, "the input with columns of var; or a table, a line a gene (.tsv, .tsv.gz)");
    set.output("--list", "FILE|-", options_.list, "names of the highly variable genes, one a line");
    set.flag("--no-provenance", options_.no_provenance, "leave out uns/quern, which tells how an h5ad came about");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  HvgOptions options_;
};

// What one run holds while it lasts; members are destroyed from the last to the first.
class HvgRun {
 public:
  HvgRun(const HvgOptions& options, Session& session)
      : options_(options), session_(session), plan_(check_options(options, session)), budget_(session.options.memory_bytes) {}

  void open() {
    use_processor("hvg adds up genes", session_);
    stamps_ = io::InputStamps(session_.output_options().inputs);
    if (plan_.writes_h5ad)
      writing_.emplace(options_.output, !options_.no_provenance, session_);
    else
      table_ = open_text(options_.output);
    list_ = open_text(options_.list);
    open_input();
    describe_input();
    if (options_.batch_key.empty())
      groups_ = one_group(outcome_.shape.n_rows);
    else
      groups_ = read_groups(*input_, {options_.batch_key}, "--batch-key", budget_);
    wants_ = {true, true, false, !options_.batch_key.empty()};
    require_room_for_sums(groups_, wants_, values_->source(), budget_, pipeline_options());
  }

  void plan() {
    const Claim sums = budget_.claim("sums of groups", GroupFold::bytes(groups_.n_groups(), outcome_.shape.n_cols, wants_));
    OpSpec ops;
    ops.value_type = walk_type();
    const PipelinePlan ring = plan_pipeline(values_->source(), ops, budget_, pipeline_options());
    tell_write_plan(1 + values_->extra_passes(), {options_.output, options_.list}, ring, budget_, writing_ ? writing_->bytes_planned() : 0,
                    session_);
  }

  void compute() {
    values_->find_target(budget_, pipeline_options(), outcome_.run);
    outcome_.target_sum = values_->target();
    add_up();
    session_.console.end_progress();
    outcome_.n_chosen = std::count(outcome_.genes.highly_variable.begin(), outcome_.genes.highly_variable.end(), 1);
    outcome_.digest = hvg_digest(outcome_.genes);
    warn_of_stored_values(plan_.on, outcome_.stored, input_->info(), input_->matrix().name, outcome_.shape, session_);
    warn_of_result(outcome_, options_, plan_, session_);
    write();
    session_.report.set_run(facts_of(outcome_.run, budget_));
    tell(outcome_, options_, plan_, input_->matrix().name, session_);
    note_memory(budget_, session_);
  }

 private:
  std::unique_ptr<io::TextOutput> open_text(const std::string& target) {
    if (target.empty()) return nullptr;
    if (!session_.options.dry_run) return session_.open_output(target);
    if (target != "-") io::resolve_output(target, session_.output_options());  // says now what the run would say
    return nullptr;
  }

  void open_input() {
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    if (writing_) options.depth = H5adWriting::depth;
    if (!options_.batch_key.empty()) options.labels = {options_.batch_key};
    const std::string& target = options_.output;
    if (options.tmp_dir.empty() && !target.empty() && target != "-")
      options.tmp_dir = std::filesystem::absolute(target).parent_path().string();
    input_ = io::Input::open(session_.options.input, options);
    if (writing_) writing_->open(*input_, 0);
    // Sums are of the values before anything is rounded to 32 bits.
    values_.emplace(input_->source(budget_), plan_.computed, ValueType::f64);
  }

  void describe_input() {
    session_.report.set_input(input_->info());
    session_.report.set_matrix(input_->matrix());
    session_.warn(input_->warnings());
    warn_of_values_on(plan_.on, input_->info(), session_);
    outcome_.shape = values_->source().shape();
    if (outcome_.shape.n_rows == 0 || outcome_.shape.n_cols == 0)
      throw input_error("empty-matrix", input_->matrix().name, "has no cells or no genes").in_file(session_.options.input);
    if (!plan_.undo_logarithms) return;
    const double base = input_->log_base();
    log_of_base_ = base > 0 && base != 1 && std::isfinite(base) ? std::log(base) : 1;
  }

  ValueType walk_type() { return plan_.undo_logarithms || plan_.on.mapped() ? ValueType::f64 : values_->source().natural_value_type(); }

  void add_up() {
    GroupFold fold(groups_.n_groups(), outcome_.shape.n_cols, wants_, budget_);
    FoldGroups work(fold, groups_, log_of_base_);
    const RunReport run = fold_groups(values_->source(), walk_type(), work, budget_, pipeline_options());
    add(outcome_.run, run);
    outcome_.run.nnz = run.nnz;
    outcome_.stored = values_->stored_facts(run.facts);
    if (run.facts.has_nan || outcome_.stored.has_nan)
      throw input_error("nan-values", input_->matrix().name, "some values are NaN, so that some genes have no mean")
          .in_file(session_.options.input);
    if (plan_.on.mapped() && outcome_.stored.has_negative)
      throw input_error("negative-values", input_->matrix().name, "some values are negative: these are no counts to take logarithms of")
          .in_file(session_.options.input);
    try {
      choose(fold);
    } catch (Error& error) {
      error.in_file(session_.options.input);
      throw;
    }
  }

  void choose(const GroupFold& fold) {
    const auto n_genes = static_cast<std::size_t>(outcome_.shape.n_cols);
    constexpr std::size_t bytes_per_gene = 4 * sizeof(double) + 1;
    genes_claim_ = budget_.claim("results of genes", n_genes * bytes_per_gene * (groups_.n_cells.size() + 2));
    std::vector<HvgGenes> batches;
    std::vector<double> mean(n_genes), var(n_genes);
    std::vector<std::int64_t> n_positive(n_genes, 1);
    for (std::int64_t group = 0; group < groups_.n_groups(); ++group) {
      const std::int64_t n_cells = groups_.n_cells[static_cast<std::size_t>(group)];
      for (std::size_t gene = 0; gene < n_genes; ++gene) {
        const auto g = static_cast<std::int64_t>(gene);
        const MeanVar moments = fold.mean_var(group, g, n_cells);
        mean[gene] = moments.mean;
        var[gene] = n_cells == 1 ? 0 : moments.var;  // as scanpy, which leaves ddof out then
        if (wants_.positive) n_positive[gene] = fold.positive(group, g);
      }
      if (options_.batch_key.empty()) {
        outcome_.genes = find_hvg(mean, var, plan_.rules);
        return;
      }
      batches.push_back(find_hvg_of_batch(mean, var, n_positive, plan_.rules));
    }
    outcome_.batches = groups_.levels.front();
    outcome_.cells_of_batch = groups_.n_cells;
    outcome_.genes = merge_hvg(batches, plan_.rules, order_of_names());
  }

  // Genes that tie are taken in the order of their names, as in scanpy.
  std::vector<std::int32_t> order_of_names() {
    std::vector<std::string> names;
    std::vector<Claim> claims;
    const auto source = input_->column_names();
    names.reserve(static_cast<std::size_t>(source->size()));
    io::for_each_name(*source, [&](const std::string& name, std::int64_t) { names.push_back(name); });
    const Claim claim = budget_.claim("names of the genes", io::bytes_of(names) + 2 * names.size() * sizeof(std::int32_t));
    std::vector<std::int32_t> order(names.size()), place(names.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return names[static_cast<std::size_t>(a)] < names[static_cast<std::size_t>(b)];
    });
    for (std::size_t i = 0; i < order.size(); ++i) place[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
    return place;
  }

  void write() {
    const std::size_t n_batches = outcome_.batches.size();
    if (table_) write_hvg_table(outcome_.genes, n_batches, *input_->column_names(), *table_);
    if (list_) write_hvg_list(outcome_.genes, *input_->column_names(), *list_);
    stamps_.check();
    if (writing_) write_h5ad(n_batches);
    if (table_) table_->commit();
    if (list_) list_->commit();
  }

  void write_h5ad(std::size_t n_batches) {
    io::CarryOptions options;
    const bool is_h5ad = input_->info().format == io::Format::h5ad;
    (input_->matrix().name == "raw" ? options.raw_var : options.var) = hvg_columns(outcome_.genes, n_batches);
    options.without_uns.emplace_back("hvg");
    options.add_uns = [this](const io::OutputGroup& uns, const io::CopyElement&) {
      io::OutputGroup group = io::make_dict(uns, "hvg");
      io::write_text(group, "flavor", options_.flavor);
      group.close();
    };
    const io::FileInfo& info = input_->info();
    const bool has_x = !is_h5ad || (!info.matrices.empty() && info.matrices.front().name == "X");
    const io::ExpectedH5ad expected{is_h5ad ? info.n_obs : outcome_.shape.n_rows, is_h5ad ? info.n_vars : outcome_.shape.n_cols, has_x};
    writing_->write(std::move(options), expected, parameters(), outcome_.digest, budget_);
  }

  Parameters parameters() {
    Parameters all{{"layer", input_->matrix().name}, {"on", plan_.on.text()}, {"flavor", options_.flavor}};
    if (options_.n_top > 0) all.emplace_back("n_top", std::to_string(options_.n_top));
    if (!options_.batch_key.empty()) all.emplace_back("batch_key", options_.batch_key);
    return all;
  }

  PipelineOptions pipeline_options() { return streaming_options(session_, outcome_.shape.n_rows, options_.test_slots); }

  const HvgOptions& options_;
  Session& session_;
  HvgPlan plan_;
  MemoryBudget budget_;
  io::InputStamps stamps_;
  std::optional<H5adWriting> writing_;
  std::unique_ptr<io::TextOutput> table_, list_;
  std::unique_ptr<io::Input> input_;
  std::optional<ValuesSource> values_;
  CellGroups groups_;
  GroupWants wants_;
  double log_of_base_ = 0;  // 0: logarithms are not undone
  Claim genes_claim_;
  HvgOutcome outcome_;
};

void Hvg::run(Session& session) { open_and_run<HvgRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_hvg() { return std::make_unique<Hvg>(); }

}  // namespace quern::cli
