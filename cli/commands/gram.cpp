// `quern gram`: products of genes with genes, their covariances or correlations.
#include <algorithm>
#include <optional>

#include "cli/command.hpp"
#include "cli/digest.hpp"
#include "cli/gram_run.hpp"
#include "cli/matrix_output.hpp"
#include "cli/selected_matrix.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"
#include "host/ops/gram.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

class Gram final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("What is computed");
    declare_gene_choice(set, options_.genes);
    set.choice("--kind", {"gram", "cov", "corr"}, options_.kind, "sums of products (default), covariances, or Pearson's correlations");
    declare_values_on(set, options_.on);
    set.group("Outputs");
    set.output("-o,--output", "FILE", options_.output,
               ".npy (with FILE.rows.tsv and FILE.cols.tsv beside it), .tsv, .tsv.gz, or - for a table");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  GramOptions options_;
};

// Adds up blocks.
class AddBlocks final : public BlockUser {
 public:
  explicit AddBlocks(std::unique_ptr<GeneProducts> products) : products_(std::move(products)) {}
  void take(const CsrChunkView<MemorySpace::host>& block) override { products_->add(block); }
  GeneProducts& products() { return *products_; }

 private:
  std::unique_ptr<GeneProducts> products_;
};

class GramRun {
 public:
  GramRun(const GramOptions& options, Session& session)
      : options_(options),
        session_(session),
        on_(parse_values_on(options.on)),
        budget_(session.options.memory_bytes),
        output_(options.output, session) {}

  void open() {
    check_gene_choice(options_.genes, session_);
    choice_ = choose_backend(session_.options);
    tell_choice(choice_, session_);
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    input_ = io::Input::open(session_.options.input, options);
    session_.report.set_input(input_->info());
    session_.report.set_matrix(input_->matrix());
    session_.warn(input_->warnings());
    outcome_.shape = {input_->matrix().rows, input_->n_vars(), input_->matrix().nnz};
    if (kind_of(options_.kind) != GramKind::gram && outcome_.shape.n_rows < 2)
      throw input_error("too-few-cells", input_->matrix().name, "covariances need two cells or more", "--kind gram needs none");
    flags_claim_ = budget_.claim("which genes are used", static_cast<std::size_t>(outcome_.shape.n_cols));
    flags_ = choose_genes(options_.genes, *input_, budget_);
    matrix_.emplace(*input_, on_, flags_, budget_);
    outcome_.shape = matrix_->shape();
    outcome_.n_genes = matrix_->genes().n_selected();
    buffers_ = budget_.claim("output buffers", MatrixOutput::buffer_bytes);
  }

  void plan() {
    const PipelinePlan ring = plan_ring();
    const Claim taken = budget_.claim("products of genes", choice_.backend->gram_bytes(outcome_.n_genes));
    tell_write_plan(1 + matrix_->passes_before(), options_.output, ring, budget_, outcome_.n_genes * outcome_.n_genes * 8, session_);
  }

  void compute() {
    plan_ring();
    output_.open(ValueType::f64, outcome_.n_genes, outcome_.n_genes);
    const auto start = [&]() -> BlockUser& {
      blocks_.reset();
      return blocks_.emplace(choice_.backend->open_gram(outcome_.n_genes, budget_));
    };
    outcome_.n_values = matrix_->walk(block_rows(), start, pipeline_options(), outcome_.run);
    session_.console.end_progress();
    const std::span<double> products = blocks_->products().finish();
    outcome_.target = matrix_->target();
    outcome_.exact = outcome_.run.facts.whole && is_exact(products, outcome_.n_genes);
    outcome_.n_constant = finish_products(kind_of(options_.kind), products, blocks_->products().sums(), outcome_.shape.n_rows);
    write(products);
    report();
  }

 private:
  std::int64_t block_rows() const { return gram_block_rows(outcome_.n_genes); }

  PipelinePlan plan_ring() {
    return matrix_->plan(block_rows(), choice_.backend->gram_bytes(outcome_.n_genes),
                         "the products of " + std::to_string(outcome_.n_genes) + " genes", pipeline_options());
  }

  void write(std::span<const double> products) {
    const auto all_names = [&] {
      const auto genes = matrix_->genes().genes();
      return std::make_unique<io::KeptNames>(input_->column_names(), std::vector<std::int64_t>(genes.begin(), genes.end()));
    };
    const auto rows = all_names(), columns = all_names();
    output_.write_names({"gene", rows.get()}, {"gene", columns.get()});
    constexpr std::int64_t rows_at_once = 64;
    const auto n = static_cast<std::size_t>(outcome_.n_genes);
    for (std::int64_t row = 0; row < outcome_.n_genes; row += rows_at_once) {
      const auto n_rows = static_cast<std::size_t>(std::min(rows_at_once, outcome_.n_genes - row));
      output_.append(products.subspan(static_cast<std::size_t>(row) * n, n_rows * n));
    }
    output_.commit();
    ArrayHash hash;
    hash.add(products);
    outcome_.digest = combined_digest(std::span(&hash, 1));
  }

  void report() {
    if (outcome_.n_constant > 0 && kind_of(options_.kind) == GramKind::correlation)
      session_.warn("constant-genes",
                    std::to_string(outcome_.n_constant) + " genes have the same value in all cells: their correlations are NaN");
    tell_backend(*choice_.backend, session_);
    session_.report.set_run(facts_of(outcome_.run, budget_, choice_));
    tell(outcome_, options_, output_.files(), input_->matrix().name, session_);
    note_memory(budget_, session_);
  }

  PipelineOptions pipeline_options() { return streaming_options(session_, outcome_.shape.n_rows, options_.test_slots); }

  const GramOptions& options_;
  Session& session_;
  ValuesOn on_;
  MemoryBudget budget_;
  MatrixOutput output_;
  BackendChoice choice_;
  std::unique_ptr<io::Input> input_;
  Claim flags_claim_, buffers_;
  std::vector<std::uint8_t> flags_;
  std::optional<SelectedMatrix> matrix_;
  std::optional<AddBlocks> blocks_;
  GramOutcome outcome_;
};

void Gram::run(Session& session) { open_and_run<GramRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_gram() { return std::make_unique<Gram>(); }

}  // namespace quern::cli
