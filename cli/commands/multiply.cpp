// `quern multiply`: the matrix, or its transpose, times a dense matrix.
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "cli/command.hpp"
#include "cli/digest.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/matrix_output.hpp"
#include "cli/multiply_run.hpp"
#include "cli/multiply_work.hpp"
#include "cli/qc_run.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"
#include "host/pipeline/selected_source.hpp"
#include "io/carry/array_out.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

class Multiply final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("What is computed");
    set.text("--by", "B", options_.by,
             "the dense matrix: an .npy of float32 or float64, by position, or a .tsv[.gz], by the names in its first column");
    set.flag("--transpose", options_.transpose, "the matrix turned over, times B: a row for every gene; B then has a row for every cell");
    declare_gene_choice(set, options_.genes);
    declare_values_on(set, options_.on);
    set.group("Outputs");
    set.output("-o,--output", "PATH", options_.output,
               "an .npy, a .tsv[.gz] (- for standard output), or the input again as .h5ad with --key");
    set.text("--key", "obsm/NAME", options_.key, "where in an h5ad the result goes; with --transpose varm/NAME");
    set.flag("--no-provenance", options_.no_provenance, "leave out uns/quern, which tells how an h5ad came about");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  MultiplyOptions options_;
};

class ListedNames final : public NameSource {
 public:
  explicit ListedNames(const std::vector<std::string>& names) : names_(names) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(names_.size()); }
  void read(RowRange range, std::vector<std::string>& names) override {
    names.assign(names_.begin() + range.first, names_.begin() + range.last);
  }
  bool may_crash() const override { return false; }

 private:
  const std::vector<std::string>& names_;
};

// What one run holds while it lasts; members are destroyed from the last to the first.
class MultiplyRun {
 public:
  MultiplyRun(const MultiplyOptions& options, Session& session)
      : options_(options), session_(session), plan_(check_options(options)), budget_(session.options.memory_bytes) {}

  void open() {
    check_gene_choice(options_.genes, session_);
    session_.inputs.push_back(options_.by);
    use_backend();
    if (plan_.to_h5ad())
      writing_.emplace(options_.output, !options_.no_provenance, session_);
    else
      open_output();
    open_input();
    read_factor();
    if (options_.transpose) product_ = open_product();
  }

  void plan() {
    OpSpec ops;
    ops.value_type = source().natural_value_type();
    const std::int64_t bytes = outcome_.n_result_rows * outcome_.n_columns * static_cast<std::int64_t>(sizeof(double));
    tell_write_plan(1 + values_->extra_passes(), options_.output, plan_pipeline(source(), ops, budget_, pipeline_options()), budget_,
                    writing_ ? writing_->bytes_planned() : bytes, session_);
  }

  void compute() {
    values_->find_target(budget_, pipeline_options(), outcome_.run);
    outcome_.target = values_->target();
    choose_source();
    if (writing_)
      write_h5ad();
    else
      write_matrix();
    report();
  }

 private:
  ChunkSource& source() { return selected_ ? *selected_ : values_->source(); }

  void use_backend() {
    BackendChoice choice = choose_backend(session_.options);
    tell_choice(choice, session_);
    verified_ = std::move(choice.verified);
    backend_ = std::move(choice.backend);
  }

  void open_output() {
    table_claim_ = budget_.claim("table on its way out", MatrixOutput::buffer_bytes);
    output_ = std::make_unique<MatrixOutput>(options_.output, session_);
    for (const std::string& file : output_->files())
      if (file != "-") io::resolve_output(file, session_.output_options());
  }

  void open_input() {
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    if (writing_) options.depth = H5adWriting::depth;
    if (options.tmp_dir.empty() && options_.output != "-")
      options.tmp_dir = std::filesystem::absolute(options_.output).parent_path().string();
    input_ = io::Input::open(session_.options.input, options);
    const io::MatrixInfo& matrix = input_->matrix();
    if (matrix.rows == 0) throw input_error("no-cells", matrix.name, "the matrix has no cells");
    if (matrix.name == "raw" && writing_ && options_.transpose)
      throw usage_error("raw-genes", "--layer raw", "raw has its own genes, which need not be those of var", "write an .npy or .tsv");
    session_.report.set_input(input_->info());
    session_.report.set_matrix(matrix);
    session_.warn(input_->warnings());
    if (!options_.genes.is_all()) {
      flags_claim_ = budget_.claim("choice of genes", static_cast<std::size_t>(input_->n_vars()) * (1 + sizeof(std::uint32_t)));
      flags_ = choose_genes(options_.genes, *input_, budget_);
    } else if (input_->n_vars() == 0) {
      throw input_error("no-genes", matrix.name, "the matrix has no genes");
    }
    row_names_ = input_->row_names();
    column_names_ = input_->column_names();
  }

  void read_factor() {
    FactorRows rows{options_.transpose ? "cell" : "gene", options_.transpose ? input_->matrix().rows : input_->n_vars(),
                    options_.transpose ? row_names_.get() : column_names_.get()};
    if (!options_.transpose) rows.chosen = flags_;
    factor_ = DenseFactor::read(options_.by, "--by", rows, budget_);
    if (factor_->n_not_finite() > 0)
      session_.warn("factor-not-finite",
                    fmt::format("{} of the numbers in {} are not finite, and so is what meets them", factor_->n_not_finite(), options_.by));
    if (writing_) writing_->open(*input_, result_bytes());
    values_.emplace(input_->source(budget_), plan_.on, input_->matrix());
    choose_source();
    outcome_.shape = source().shape();
    outcome_.n_stored = input_->matrix().nnz;
    outcome_.n_columns = factor_->n_cols();
    outcome_.n_result_rows = options_.transpose ? outcome_.shape.n_cols : outcome_.shape.n_rows;
    read_type_ = source().natural_value_type();
  }

  std::int64_t result_bytes() {
    const std::int64_t rows = options_.transpose ? input_->n_vars() : input_->matrix().rows;
    return rows * factor_->n_cols() * static_cast<std::int64_t>(sizeof(double));
  }

  void choose_source() {
    if (!flags_.empty()) selected_.emplace(values_->source(), flags_);
  }

  std::unique_ptr<Product> open_product() { return backend_->open_product({factor_->view(), options_.transpose}, outcome_.shape, budget_); }

  // Runs until the matrix has been walked with values that hold all of it. `start` begins the output anew and says who takes the rows.
  void walk(const std::function<TakeRows()>& start) {
    for (;;) {
      try {
        return walk_once(start());
      } catch (const NeedsWiderValues&) {
        read_type_ = ValueType::f64;
      }
    }
  }

  void walk_once(const TakeRows& take) {
    hash_.restart();
    const TakeRows hash_and_take = [&](std::span<const double> rows) {
      hash_.add(rows);
      take(rows);
    };
    if (options_.transpose) {
      if (!product_) product_ = open_product();
      const std::unique_ptr<Product> product = std::move(product_);
      FoldProduct work(outcome_.shape.n_cols, *product);
      count(work);
      hash_and_take(product->finish());
    } else {
      const std::unique_ptr<Product> product = open_product();
      MultiplyRows work(outcome_.shape.n_cols, outcome_.n_columns, *product, hash_and_take);
      count(work);
    }
    outcome_.digest = combined_digest({&hash_, 1});
  }

  void count(ChunkWork& work) {
    const RunReport run = walk_chunks(source(), read_type_, work, backend_->ring_memory(), budget_, pipeline_options());
    session_.console.end_progress();
    add(outcome_.run, run);
    outcome_.run.facts = run.facts;
    outcome_.nnz = run.nnz;
  }

  void write_matrix() {
    std::unique_ptr<NameSource> kept;
    NameSource* genes = column_names_.get();
    if (options_.transpose && !flags_.empty()) {
      kept = chosen_names();
      genes = kept.get();
    }
    walk([&]() -> TakeRows {
      output_ = nullptr;  // what an abandoned pass wrote
      output_ = std::make_unique<MatrixOutput>(options_.output, session_);
      output_->open(ValueType::f64, outcome_.n_result_rows, outcome_.n_columns);
      ListedNames heads(factor_->column_names());
      output_->write_names({options_.transpose ? "gene" : "cell", options_.transpose ? genes : row_names_.get()}, {"column", &heads});
      return [this](std::span<const double> rows) { output_->append(rows); };
    });
    output_->commit();
  }

  std::unique_ptr<NameSource> chosen_names() {
    std::vector<std::int64_t> places;
    for (std::size_t gene = 0; gene < flags_.size(); ++gene)
      if (flags_[gene] != 0) places.push_back(static_cast<std::int64_t>(gene));
    names_claim_ = budget_.claim("choice of genes", places.size() * sizeof(std::int64_t));
    return std::make_unique<io::KeptNames>(input_->column_names(), std::move(places));
  }

  // The result is computed when it is its turn in the file.
  void write_h5ad() {
    const io::FileInfo& info = input_->info();
    const bool is_h5ad = info.format == io::Format::h5ad;
    const bool has_x = !is_h5ad || (!info.matrices.empty() && info.matrices.front().name == "X");
    const io::ExpectedH5ad expected{is_h5ad ? info.n_obs : outcome_.shape.n_rows, is_h5ad ? info.n_vars : outcome_.shape.n_cols, has_x};
    for (;;) {
      io::CarryOptions options;
      const auto add = [this](const io::OutputGroup& group) {
        io::ArrayOut array(group, plan_.key, outcome_.n_result_rows, outcome_.n_columns, budget_);
        walk_once([&](std::span<const double> rows) { array.append(rows); });
        array.finish();
      };
      (options_.transpose ? options.without_varm : options.without_obsm) = {plan_.key};
      (options_.transpose ? options.add_varm : options.add_obsm) = add;
      try {
        writing_->write(std::move(options), expected, parameters(), outcome_.digest, budget_);
        outcome_.file_bytes = writing_->file_bytes();
        return;
      } catch (const NeedsWiderValues&) {
        read_type_ = ValueType::f64;
        writing_->start_over();
      }
    }
  }

  Parameters parameters() {
    Parameters all{
        {"layer", input_->matrix().name}, {"by", std::filesystem::path(options_.by).filename().string()}, {"on", plan_.on.text()}};
    all.emplace_back("key", options_.key);
    if (!options_.genes.is_all()) all.emplace_back("genes", options_.genes.list.empty() ? options_.genes.mask : options_.genes.list);
    return all;
  }

  void report() {
    tell_backend(*backend_, session_);
    warn_of_values(values_->stored_facts(outcome_.run.facts), outcome_.run.facts.whole,
                   {input_->matrix().name, outcome_.shape, outcome_.n_stored, input_->info().has_raw}, session_);
    const DeviceTraffic traffic = backend_->device_traffic();
    RunFacts facts = facts_of(outcome_.run, budget_);
    facts.peak_device_bytes = backend_->peak_device_bytes();
    facts.bytes_to_device = traffic.bytes_to_device;
    facts.verified_chunks = verified_->verified;
    facts.seconds = {{"compute", outcome_.run.seconds}, {"device", traffic.seconds}};
    session_.report.set_run(facts);
    tell(outcome_, options_, plan_, *factor_, input_->matrix().name, session_);
    note_memory(budget_, session_);
  }

  PipelineOptions pipeline_options() {
    PipelineOptions options = streaming_options(session_, outcome_.shape.n_rows, options_.test_slots);
    options.default_chunk_nnz = backend_->chunk_nnz();
    if (!options_.transpose) options.numbers_per_row = static_cast<int>(outcome_.n_columns);
    return options;
  }

  const MultiplyOptions& options_;
  Session& session_;
  MultiplyPlan plan_;
  MemoryBudget budget_;
  std::unique_ptr<VerifyCount> verified_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<MatrixOutput> output_;
  std::optional<H5adWriting> writing_;
  std::unique_ptr<io::Input> input_;
  Claim table_claim_, flags_claim_, names_claim_;
  std::vector<std::uint8_t> flags_;  // of the genes; empty: all take part
  std::unique_ptr<NameSource> row_names_, column_names_;
  std::optional<DenseFactor> factor_;
  std::optional<ValuesSource> values_;
  std::optional<SelectedSource> selected_;
  ValueType read_type_ = ValueType::f32;
  ArrayHash hash_;
  std::unique_ptr<Product> product_;
  MultiplyOutcome outcome_;
};

void Multiply::run(Session& session) { open_and_run<MultiplyRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_multiply() { return std::make_unique<Multiply>(); }

}  // namespace quern::cli
