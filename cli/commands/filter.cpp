// `quern filter`: scanpy's filter_cells, then filter_genes on what is left, streamed.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "cli/backends.hpp"
#include "cli/command.hpp"
#include "cli/digest.hpp"
#include "cli/filter_columns.hpp"
#include "cli/filter_genes.hpp"
#include "cli/filter_run.hpp"
#include "cli/filter_work.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/name_list.hpp"
#include "cli/qc_run.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"
#include "host/cpu/cpu_runs.hpp"
#include "io/carry/from_tenx.hpp"
#include "io/carry/matrix_out.hpp"

namespace quern::cli {
namespace {

class Filter final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("Which cells stay (bounds are inclusive; all of them hold)");
    set.integer("--min-genes", "N", options_.min_genes, 0, "genes above 0");
    set.integer("--max-genes", "N", options_.max_genes, 0, "");
    set.number("--min-counts", "N", options_.min_counts, "sum of the values");
    set.number("--max-counts", "N", options_.max_counts, "");
    set.list("--max-pct", "NAME=V", options_.max_pct, "percent of the sum in a set of genes: mt, ribo, or one of --qc-vars");
    set.list("--qc-vars", "NAME=REGEX|=@FILE", options_.qc_vars, "sets of genes for --max-pct");
    set.text("--keep-cells", "@FILE", options_.keep_cells, "only cells named in this file, one a line");
    set.group("Which genes stay, counted over the cells that stay");
    set.integer("--min-cells", "N", options_.min_cells, 0, "cells above 0");
    set.integer("--max-cells", "N", options_.max_cells, 0, "");
    set.number("--min-gene-counts", "N", options_.min_gene_counts, "sum of the values");
    set.number("--max-gene-counts", "N", options_.max_gene_counts, "");
    set.text("--keep-genes", "@FILE", options_.keep_genes, "only genes named in this file, one a line");
    set.group("Outputs");
    declare_h5ad_output(set, options_.output, options_.no_provenance);
    set.text("--compression", "HOW", options_.compression,
             "of sparse matrices: none, gzip:1 to gzip:9, lzf, zstd:1 to zstd:19, blosc:1 to blosc:9 (default: gzip:1 for what is "
             "packed, none for what is not)");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  FilterOptions options_;
};

// Carries the chunks of a matrix that is cut through the ring.
class VisitWork final : public ChunkWork {
 public:
  explicit VisitWork(io::ChunkVisitor& visitor) : visitor_(visitor) {}
  void compute(ChunkSlot& slot) override { visitor_.compute(slot.chunk); }
  void hand_on(ChunkSlot& slot) override { visitor_.hand_on(slot.chunk); }
  void put_away() override { visitor_.put_away(); }

 private:
  io::ChunkVisitor& visitor_;
};

// What one run holds while it lasts; members are destroyed from the last to the first.
class FilterRun {
 public:
  FilterRun(const FilterOptions& options, Session& session)
      : options_(options), session_(session), plan_(check_options(options)), budget_(run_budget(session)) {}

  void open() {
    if (options_.output.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
    tell_backend();
    remember_lists();
    writing_.emplace(options_.output, !options_.no_provenance, session_);
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    options.depth = H5adWriting::depth;
    if (options.tmp_dir.empty()) options.tmp_dir = std::filesystem::absolute(options_.output).parent_path().string();
    tmp_dir_ = options.tmp_dir;
    input_ = io::Input::open(session_.options.input, options);
    writing_->open(*input_, 0);
    source_ = input_->source(budget_);
    session_.report.set_input(input_->info());
    session_.report.set_matrix(input_->matrix());
    session_.warn(input_->warnings());
    if (plan_.compression) warn_of_compression(*plan_.compression, session_);
    outcome_.before = source_->shape();
    outcome_.n_obs = is_h5ad() ? input_->info().n_obs : outcome_.before.n_rows;
    raw_as_x_ = input_->matrix().name == "raw" && (!plan_.gene_rules.empty() || !plan_.genes_file.empty());
    outcome_.n_vars = is_h5ad() && !raw_as_x_ ? input_->info().n_vars : outcome_.before.n_cols;
    read_type_ = source_->natural_value_type();
    make_room();
  }

  void plan() {
    MemoryBudget planned(std::max(session_.options.memory_bytes, least_bytes()));
    const Claim kept = planned.claim("what is kept", kept_bytes());
    const std::size_t cache = can_cache() ? room_for_cache(*source_, read_type_, planned, pipeline_options()) : 0;
    const WritePlan plan{plan_.passes(), options_.output, writing_->bytes_planned(), cache, PackedCache::least_bytes(outcome_.before),
                         kept_bytes()};
    tell_write_plan(
        plan, [this](MemoryBudget& trial) { return take_all(trial); }, session_);
  }

  std::size_t least_bytes() {
    if (others_.empty()) find_other_matrices();
    return least_memory([this](MemoryBudget& trial) { return take_all(trial); }, kept_bytes());
  }

  void compute() {
    read_lists();
    if (can_cache()) source_ = keep_for_later(std::move(source_), read_type_, budget_, pipeline_options(), cache_);
    if (plan_.needs_values()) decide();
    count_kept();
    digest();
    if (!cache_) source_.reset();
    write();
    report();
  }

 private:
  std::size_t kept_bytes() const { return budget_.limit() - budget_.available(); }

  // A matrix that is cut, beside the one that is judged by; its row pointers are not claimed here.
  struct OtherMatrix {
    std::unique_ptr<io::Input> input;
    std::unique_ptr<ChunkSource> source;
    std::size_t row_pointers;
  };

  void find_other_matrices() {
    for (const io::MatrixInfo& matrix : input_->info().matrices) {
      if (!is_h5ad() || raw_as_x_ || matrix.storage == io::Storage::dense || matrix.name == input_->matrix().name) continue;
      io::InputOptions options = input_options(session_.options);
      options.layer = matrix.name;
      options.tmp_dir = tmp_dir_;
      const std::size_t rows = static_cast<std::size_t>(std::max(matrix.rows, matrix.cols) + 2) * sizeof(std::int64_t);
      auto& other = others_.emplace_back(OtherMatrix{io::Input::open(session_.options.input, options), nullptr, rows});
      other.source = other.input->source(others_budget_);
    }
  }

  // The pass that decides, then those that write, then what else is carried over.
  PipelinePlan take_all(MemoryBudget& trial) {
    const auto n_cells = static_cast<std::size_t>(outcome_.n_obs), n_genes = static_cast<std::size_t>(outcome_.n_vars);
    const Claim kept = trial.claim("what is kept", kept_bytes() + (plan_.sets.empty() ? 0 : n_genes * sizeof(std::uint32_t)));
    {
      const Claim names = trial.claim("lists of names", bytes_of_lists({plan_.cells_file, plan_.genes_file}) +
                                                            (plan_.sets.empty() ? 0 : n_genes * sizeof(std::uint64_t)));
    }
    if (plan_.needs_values()) {
      const GeneTallyWants wants{plan_.looks_at(Measure::cells), plan_.looks_at(Measure::gene_counts)};
      const Claim tally = trial.claim("gene tallies", GeneTally::bytes(outcome_.n_vars, wants, false, ValueType::f64));
      plan_ring(*source_, trial);
    }
    const Claim selection = trial.claim("what is kept", n_cells * (sizeof(RowRange) + 8) + n_genes * (sizeof(RowRange) + 4));
    { const Claim carried = trial.claim("arrays that are carried over", writing_->carry_bytes(outcome_.n_obs, outcome_.n_vars)); }
    for (OtherMatrix& other : others_) {
      const Claim rows = trial.claim("row pointers", other.row_pointers);
      plan_writing(*other.source, trial);
    }
    return plan_writing(*source_, trial);
  }

  PipelinePlan plan_ring(ChunkSource& source, MemoryBudget& trial) {
    OpSpec ops;
    ops.value_type = ValueType::f64;  // whatever the values turn out to be
    return plan_pipeline(source, ops, trial, pipeline_options());
  }
  PipelinePlan plan_writing(ChunkSource& source, MemoryBudget& trial) {
    io::MatrixOutOptions writing;
    writing.value_type = ValueType::f64;
    writing.compression = plan_.compression.value_or(io::Compression{io::Packing::gzip, 1, false});
    writing.threads = session_.options.threads;
    const Claim out = trial.claim("matrices that are carried over", io::MatrixOut::memory_bytes(source.shape(), writing, trial));
    return plan_ring(source, trial);
  }

  // All of the work is on the processor; who insists on a device is told so.
  void tell_backend() {
    if (session_.options.backend == "cuda")
      throw usage_error("no-device-work", "--backend cuda", "filter counts and copies, which the processor does alone",
                        "leave --backend out");
    SharedOptions processor = session_.options;
    processor.backend = "cpu";
    const BackendChoice choice = choose_backend(processor);
    session_.report.set_backend(choice.backend->name(), choice.backend->device());
  }

  void remember_lists() {
    for (const GeneSetRule& set : plan_.sets)
      if (!set.file.empty()) session_.inputs.push_back(set.file);
    for (const std::string& file : {plan_.cells_file, plan_.genes_file})
      if (!file.empty()) session_.inputs.push_back(file);
  }

  void make_room() {
    const auto n_cells = static_cast<std::size_t>(outcome_.n_obs), n_genes = static_cast<std::size_t>(outcome_.n_vars);
    const bool genes = plan_.looks_at(Measure::genes), counts = plan_.looks_at(Measure::counts);
    cells_claim_ = budget_.claim("decisions about cells", n_cells * (1 + genes * sizeof(std::int32_t) + counts * sizeof(double)));
    cells_.kept.assign(n_cells, 1);
    cells_.n_genes.resize(genes ? n_cells : 0);
    cells_.counts.resize(counts ? n_cells : 0);
    const bool in_cells = plan_.looks_at(Measure::cells), gene_counts = plan_.looks_at(Measure::gene_counts);
    genes_claim_ = budget_.claim("decisions about genes", n_genes * (1 + in_cells * sizeof(std::int64_t) + gene_counts * sizeof(double)));
    genes_.kept.assign(n_genes, 1);
    genes_.n_cells.resize(in_cells ? n_genes : 0);
    genes_.counts.resize(gene_counts ? n_genes : 0);
  }

  void read_lists() {
    if (!plan_.cells_file.empty())
      outcome_.unlisted_cells = keep_names("--keep-cells", plan_.cells_file, "cells", *input_->row_names(), cells_.kept);
    if (!plan_.genes_file.empty())
      outcome_.unlisted_genes = keep_names("--keep-genes", plan_.genes_file, "genes", *input_->column_names(), genes_.kept);
    if (plan_.sets.empty()) return;
    const auto names = input_->column_names();
    sets_ = match_gene_sets(plan_.sets, *names, budget_);
    warn_of_names(plan_.sets, sets_, session_);
  }

  std::int64_t keep_names(const std::string& option, const std::string& file, const std::string& what, NameSource& names,
                          std::span<std::uint8_t> kept) {
    const UnknownNames unknown = keep_listed(file, option, names, kept, budget_);
    if (unknown.n_unknown > 0) {
      std::string examples;
      for (const std::string& name : unknown.examples) examples += (examples.empty() ? "" : ", ") + printable(name);
      session_.warn(
          "names-not-found",
          fmt::format("{} of the {} names in {} are no {} of this file: {}{}{}", unknown.n_unknown, unknown.n_listed, file, what, examples,
                      unknown.n_unknown > static_cast<std::int64_t>(unknown.examples.size()) ? " ..." : "", advice_on(unknown)));
    }
    return std::count(kept.begin(), kept.end(), 0);
  }

  // What decides is read again where it is cut, but for 10x files, which are written in another way.
  bool can_cache() const { return plan_.needs_values() && is_h5ad() && input_->matrix().storage == io::Storage::csr; }

  // Once: a matrix that has to be written again is read again.
  std::unique_ptr<ChunkSource> take_cache(const std::string& data_path) {
    if (!cache_ || !source_ || data_path != input_->matrix().data.path) return nullptr;
    return std::move(source_);
  }

  bool is_h5ad() const { return input_->info().format == io::Format::h5ad; }
  io::ColumnType sum_type() const { return type_of_sum(io::scanpy_value_type(input_->info(), input_->matrix())); }
  bool narrow_sums() const { return sum_type() == io::ColumnType::float32; }

  void round_bounds() {
    if (!narrow_sums()) return;
    for (std::vector<FilterRule>* rules : {&plan_.cell_rules, &plan_.gene_rules})
      for (FilterRule& rule : *rules)
        if (rule.measure != Measure::genes && rule.measure != Measure::cells)
          rule.bound = static_cast<double>(static_cast<float>(rule.bound));
  }

  // One pass; again with 64-bit values where 32 bits do not hold them.
  void decide() {
    round_bounds();
    const std::vector<std::uint8_t> listed = cells_.kept;
    for (;;) {
      try {
        return decide_once();
      } catch (const NeedsWiderValues&) {
        read_type_ = ValueType::f64;
        cells_.kept = listed;
      }
    }
  }

  void decide_once() {
    const GeneTallyWants wants{plan_.looks_at(Measure::cells), plan_.looks_at(Measure::gene_counts)};
    const std::string& stored = input_->matrix().data.type;
    const bool is_whole = stored.starts_with("int") || stored.starts_with("uint") || stored == "bool";
    const std::size_t bytes = GeneTally::bytes(outcome_.n_vars, wants, is_whole, read_type_);
    const bool any = wants.positive || wants.sums;
    const int n = any ? affordable_copies(bytes, {budget_, session_.options.threads, 0}) : 0;
    const Claim claim = budget_.claim("gene tallies", bytes * static_cast<std::size_t>(n));
    std::vector<std::unique_ptr<GeneTally>> copies;
    for (int i = 0; i < n; ++i) copies.push_back(std::make_unique<GeneTally>(outcome_.n_vars, wants));
    LeasePool<GeneTally> tallies(std::move(copies));
    DecideCells work({outcome_.before.n_cols, narrow_sums(), sets_.members}, plan_.cell_rules, cells_, any ? &tallies : nullptr);
    const RunReport run = walk_chunks(*source_, read_type_, work, pageable_memory(), budget_, pipeline_options());
    session_.console.end_progress();
    add(outcome_.run, run);
    outcome_.run.facts = run.facts;
    for (std::size_t i = 0; i < plan_.cell_rules.size(); ++i) plan_.cell_rules[i].n_failing = work.n_failing()[i];
    if (!any) return;
    for (std::size_t i = 1; i < tallies.items().size(); ++i) tallies.items().front()->combine(*tallies.items()[i]);
    decide_genes(*tallies.items().front(), narrow_sums(), plan_.gene_rules, genes_);
  }

  void count_kept() {
    outcome_.kept_cells = std::count(cells_.kept.begin(), cells_.kept.end(), 1);
    outcome_.kept_genes = std::count(genes_.kept.begin(), genes_.kept.end(), 1);
    require_some("cells", outcome_.kept_cells, outcome_.n_obs, plan_.cell_rules, outcome_.unlisted_cells);
    require_some("genes", outcome_.kept_genes, outcome_.n_vars, plan_.gene_rules, outcome_.unlisted_genes);
  }

  // Over the flags of cells and genes (a byte each), then n_genes and counts of all cells, n_cells and counts of all genes.
  void digest() {
    std::array<ArrayHash, 6> hashes;
    hashes[0].add_bits(std::as_bytes(std::span<const std::uint8_t>(cells_.kept)));
    hashes[1].add_bits(std::as_bytes(std::span<const std::uint8_t>(genes_.kept)));
    hashes[2].add(std::span<const std::int32_t>(cells_.n_genes));
    hashes[3].add(std::span<const double>(cells_.counts));
    hashes[4].add(std::span<const std::int64_t>(genes_.n_cells));
    hashes[5].add(std::span<const double>(genes_.counts));
    outcome_.digest = combined_digest(hashes);
  }

  void write() {
    leave_kept(cells_.n_genes, cells_.kept);
    leave_kept(cells_.counts, cells_.kept);
    leave_kept(genes_.n_cells, genes_.kept);
    leave_kept(genes_.counts, genes_.kept);
    io::CarryOptions options;
    options.cells = io::Selection::of_flags(cells_.kept);
    options.genes = io::Selection::of_flags(genes_.kept);
    // Each is walked beside itself while something is copied.
    const Claim claim = budget_.claim("what is kept", 2 * (options.cells.bytes() + options.genes.bytes()));
    options.obs = left_behind("n_genes", cells_.n_genes, cells_.counts, sum_type());
    options.var = left_behind("n_cells", genes_.n_cells, genes_.counts, sum_type());
    options.raw_as_x = raw_as_x_;
    options.packing = plan_.compression;
    options.tmp_dir = tmp_dir_;
    options.take_source = [this](const std::string& data_path) { return take_cache(data_path); };
    options.visit = [this](ChunkSource& source, ValueType type, io::ChunkVisitor& visitor) {
      VisitWork work(visitor);
      add(outcome_.run, walk_chunks(source, type, work, pageable_memory(), budget_, pipeline_options()));
      if (cache_ && !source_) outcome_.cache = facts_of(*std::exchange(cache_, nullptr));
      session_.console.end_progress();
    };
    const auto& matrices = input_->info().matrices;
    const bool has_x = raw_as_x_ || !is_h5ad() || (!matrices.empty() && matrices.front().name == "X");
    const io::ExpectedH5ad expected{outcome_.kept_cells, outcome_.kept_genes, has_x};
    try {
      writing_->write(options, expected, filter_parameters(plan_, input_->matrix().name), outcome_.digest, budget_);
    } catch (const NeedsWiderValues&) {
      options.wide_values = true;
      cache_ = nullptr;
      writing_->start_over();
      writing_->write(options, expected, filter_parameters(plan_, input_->matrix().name), outcome_.digest, budget_);
    }
    outcome_.file_bytes = writing_->file_bytes();
  }

  void report() {
    const io::MatrixInfo& matrix = input_->matrix();
    RunReport& run = outcome_.run;
    run.passes = plan_.passes();
    if (plan_.needs_values())
      warn_of_values(run.facts, run.facts.whole, {matrix.name, outcome_.before, matrix.nnz, input_->info().has_raw}, session_);
    RunFacts facts = facts_of(run, budget_);
    facts.cache = outcome_.cache;
    session_.report.set_run(facts);
    tell(outcome_, options_, plan_, matrix.name, session_);
    note_memory(budget_, session_);
  }

  PipelineOptions pipeline_options() { return streaming_options(session_, outcome_.n_obs, options_.test_slots); }

  const FilterOptions& options_;
  Session& session_;
  FilterPlan plan_;
  MemoryBudget budget_;
  std::optional<H5adWriting> writing_;
  std::unique_ptr<io::Input> input_;
  std::unique_ptr<ChunkSource> source_;
  const PackedCache* cache_ = nullptr;  // the source, where it is one
  MemoryBudget others_budget_{std::size_t{1} << 40};
  std::vector<OtherMatrix> others_;  // for a plan
  bool raw_as_x_ = false;            // genes are judged by raw, which becomes X
  std::string tmp_dir_;
  ValueType read_type_ = ValueType::f32;
  Claim cells_claim_, genes_claim_;
  CellFacts cells_;
  GeneFacts genes_;
  GeneSets sets_;
  FilterOutcome outcome_;
};

void Filter::run(Session& session) { open_and_run<FilterRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_filter() { return std::make_unique<Filter>(); }

}  // namespace quern::cli
