// `quern pca`: scanpy's pp.pca, out of core.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>

#include "cli/command.hpp"
#include "cli/digest.hpp"
#include "cli/matrix_output.hpp"
#include "cli/pca_many_genes.hpp"
#include "cli/pca_run.hpp"
#include "cli/selected_matrix.hpp"
#include "cli/streaming.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"
#include "host/cpu/block_product.hpp"
#include "host/cpu/gram_sum.hpp"
#include "host/ops/gram.hpp"
#include "host/pipeline/kept_rows.hpp"
#include "io/carry/array_out.hpp"
#include "io/output_places.hpp"

namespace quern::cli {
namespace {

class Pca final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.group("What is computed");
    set.integer("--n-comps", "N", options_.n_comps, 1, "components (default 50, or one less than there are cells or genes)");
    declare_gene_choice(set, options_.genes);
    declare_values_on(set, options_.on);
    set.group("Outputs");
    set.output("-o,--output", "FILE", options_.output, ".h5ad, or the scores alone: .npy (names beside it), .tsv, .tsv.gz, - for a table");
    set.flag("--no-provenance", options_.no_provenance, "leave uns/quern out");
    declare_compute(set, shared);
    set.hidden_integer("--test-slots", options_.test_slots, 2);
    set.hidden_integer("--test-most-genes", options_.test_most_genes, 1);
    declare_reporting(set, shared);
  }

  void run(Session& session) override;

 private:
  PcaOptions options_;
};

// PC1, PC2 ...
class ComponentNames final : public NameSource {
 public:
  explicit ComponentNames(std::int64_t n) : n_(n) {}
  std::int64_t size() const override { return n_; }
  void read(RowRange range, std::vector<std::string>& names) override {
    names.clear();
    for (std::int64_t i = range.first; i < range.last; ++i) names.push_back("PC" + std::to_string(i + 1));
  }
  bool may_crash() const override { return false; }

 private:
  std::int64_t n_;
};

class AddBlocks final : public BlockUser {
 public:
  AddBlocks(std::int64_t n_genes, int threads, MemoryBudget& budget) : sum(n_genes, threads, budget) {}
  void take(const CsrChunkView<MemorySpace::host>& block) override { sum.add(block); }
  GramSum sum;
};

using TakeScores = std::function<void(std::span<const float> row_after_row)>;

class ScoreBlocks final : public BlockUser {
 public:
  ScoreBlocks(Projection& projection, const TakeScores& take_scores) : projection_(projection), take_scores_(take_scores) {}
  void take(const CsrChunkView<MemorySpace::host>& block) override { take_scores_(projection_.scores(block)); }

 private:
  Projection& projection_;
  const TakeScores& take_scores_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class PcaRun {
 public:
  PcaRun(const PcaOptions& options, Session& session)
      : options_(options), session_(session), on_(parse_values_on(options.on)), budget_(session.options.memory_bytes) {}

  void open() {
    GeneChoice given = options_.genes;
    if (given.mask == "none") given.mask.clear();
    check_gene_choice(given, session_);
    use_processor("the products of genes", session_);
    open_output();
    open_input();
    choose();
    refuse_what_does_not_fit();
  }

  void plan() {
    const PipelinePlan ring = plan_ring();
    const Claim taken = budget_.claim("products of genes", needed_bytes());
    const std::int64_t scores = outcome_.shape.n_rows * outcome_.n_comps * 4;
    tell_write_plan(1 + matrix_->passes_before(), options_.output, ring, budget_, writing_ ? writing_->bytes_planned() : scores, session_);
  }

  void compute() {
    if (output_) output_->open(ValueType::f32, outcome_.shape.n_rows, outcome_.n_comps);
    find();
    writing_ ? write_h5ad() : write_scores();
    report();
  }

 private:
  void open_output() {
    if (options_.output.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
    if (options_.output.ends_with(".h5ad"))
      writing_.emplace(options_.output, !options_.no_provenance, session_);
    else
      output_.emplace(options_.output, session_);
  }

  void open_input() {
    io::InputOptions options = input_options(session_.options);
    options.budget = &budget_;
    if (writing_) options.depth = H5adWriting::depth;
    if (options.tmp_dir.empty() && options_.output != "-")
      options.tmp_dir = std::filesystem::absolute(options_.output).parent_path().string();
    input_ = io::Input::open(session_.options.input, options);
    const io::MatrixInfo& matrix = input_->matrix();
    if (matrix.name == "raw" && writing_)
      throw usage_error("raw-genes", "--layer raw", "raw has its own genes, which need not be those of var", "write the scores as .npy");
    if (writing_) writing_->open(*input_, (matrix.rows * 4 + matrix.cols * 8) * std::max<std::int64_t>(options_.n_comps, 50));
    session_.report.set_input(input_->info());
    session_.report.set_matrix(matrix);
    session_.warn(input_->warnings());
  }

  void choose() {
    outcome_.genes = genes_for_pca(options_.genes, *input_);
    flags_claim_ = budget_.claim("which genes are used", static_cast<std::size_t>(input_->n_vars()));
    flags_ = choose_genes(outcome_.genes, *input_, budget_);
    matrix_.emplace(*input_, on_, flags_, budget_);
    outcome_.shape = matrix_->shape();
    outcome_.n_genes = matrix_->genes().n_selected();
    outcome_.n_comps = number_of_components(options_.n_comps, outcome_.shape.n_rows, outcome_.n_genes);
    if (options_.genes.is_all() && !outcome_.genes.is_all())
      session_.console.note("genes: those of " + outcome_.genes.mask + ", as scanpy takes them (--mask none: all)");
  }

  int threads() const { return session_.options.threads; }
  bool has_many_genes() const {
    return outcome_.n_genes > (options_.test_most_genes > 0 ? options_.test_most_genes : most_genes_with_products);
  }
  std::int64_t block_rows() const { return has_many_genes() ? block_product_rows : gram_block_rows(outcome_.n_genes); }
  ManyGenesPlan many_genes() const { return {*matrix_, outcome_.n_comps, threads()}; }
  std::size_t projection_bytes() const { return Projection::bytes(outcome_.n_genes, outcome_.n_comps, block_rows(), threads()); }
  std::size_t needed_bytes() const {
    if (has_many_genes()) return many_genes().bytes() + component_bytes(outcome_.n_genes, outcome_.n_comps) + projection_bytes();
    return GramSum::bytes(outcome_.n_genes, threads()) + component_bytes(outcome_.n_genes, outcome_.n_comps) + projection_bytes();
  }

  PipelinePlan plan_ring() {
    return matrix_->plan(block_rows(), needed_bytes(), "the products of " + std::to_string(outcome_.n_genes) + " genes",
                         pipeline_options());
  }
  std::string what_is_made() const { return has_many_genes() ? "the vectors of " : "the products of "; }
  void refuse_what_does_not_fit() { plan_ring(); }

  // The first pass, and what it is about.
  void find() {
    const Claim later = budget_.claim("components", component_bytes(outcome_.n_genes, outcome_.n_comps) + projection_bytes());
    if (has_many_genes()) return find_by_vectors();
    std::optional<AddBlocks> add_blocks;
    std::optional<KeepBlocks> keep_blocks;
    const auto start = [&]() -> BlockUser& {
      add_blocks.reset();
      add_blocks.emplace(outcome_.n_genes, threads(), budget_);
      if (!kept_) kept_.emplace(budget_, budget_.available() / 2);
      return keep_blocks.emplace(*add_blocks, *kept_);
    };
    outcome_.n_values = matrix_->walk(block_rows(), start, pipeline_options(), outcome_.run);
    session_.console.end_progress();
    outcome_.target = matrix_->target();
    if (kept_->holds(outcome_.shape.n_rows)) outcome_.kept_bytes = kept_->bytes();
    const auto begin = std::chrono::steady_clock::now();
    components_ = find_components(add_blocks->sum.finish(), add_blocks->sum.sums(), outcome_.shape.n_rows, outcome_.n_comps);
    outcome_.solve_seconds = seconds_since(begin);
  }

  // A pass for each step, from memory where it holds the rows.
  void find_by_vectors() {
    kept_.emplace(budget_, budget_.available() / 2);
    const KrylovResult found =
        components_of_many_genes(many_genes(), *matrix_, *kept_, pipeline_options(), budget_, outcome_.run, outcome_.n_values);
    session_.console.end_progress();
    outcome_.target = matrix_->target();
    outcome_.route = "krylov";
    outcome_.steps = found.passes;
    if (kept_->holds(outcome_.shape.n_rows)) outcome_.kept_bytes = kept_->bytes();
    components_ = found.components;
    if (found.passes == most_krylov_passes)
      session_.warn("not-converged", "the last components are not exact: after " + std::to_string(found.passes) + " passes a residual is " +
                                         std::to_string(found.residual) + " of its eigenvalue");
  }

  // The scores of all cells, in order.
  void score(const TakeScores& take) {
    ArrayHash hash;
    const TakeScores hash_and_take = [&](std::span<const float> scores) {
      hash.add_bits(std::as_bytes(scores));
      take(scores);
    };
    Projection projection(components_, block_rows(), threads(), budget_);
    ScoreBlocks blocks(projection, hash_and_take);
    if (outcome_.kept_bytes > 0 || kept_->holds(outcome_.shape.n_rows))
      kept_->replay(blocks, threads());
    else
      matrix_->walk(
          block_rows(), [&]() -> BlockUser& { return blocks; }, pipeline_options(), outcome_.run);
    session_.console.end_progress();
    note_digest(std::move(hash));
  }

  // Over the scores (32-bit), the loadings, the variances.
  void note_digest(ArrayHash scores) {
    std::array<ArrayHash, 3> hashes;
    hashes[0] = std::move(scores);
    hashes[1].add(std::span<const double>(components_.loadings));
    hashes[2].add(std::span<const double>(components_.variances));
    outcome_.digest = combined_digest(hashes);
  }

  void write_scores() {
    const Claim claim = budget_.claim("output buffers", MatrixOutput::buffer_bytes);
    ComponentNames columns(outcome_.n_comps);
    const auto rows = input_->row_names();
    output_->write_names({"cell", rows.get()}, {"component", &columns});
    score([this](std::span<const float> scores) { output_->append(scores); });
    output_->commit();
  }

  void write_h5ad() {
    const io::FileInfo& info = input_->info();
    const bool is_h5ad = info.format == io::Format::h5ad;
    const bool has_x = !is_h5ad || (!info.matrices.empty() && info.matrices.front().name == "X");
    io::CarryOptions options;
    options.without_obsm = {"X_pca"};
    options.without_varm = {"PCs"};
    options.without_uns = {"pca"};
    options.add_obsm = [this](const io::OutputGroup& group) { write_obsm(group); };
    options.add_varm = [this](const io::OutputGroup& group) { write_varm(group); };
    options.add_uns = [this](const io::OutputGroup& group, const io::CopyElement&) {
      write_pca(group, outcome_, components_, input_->matrix().name);
    };
    const auto begin = std::chrono::steady_clock::now();
    writing_->write(std::move(options), {outcome_.shape.n_rows, is_h5ad ? info.n_vars : outcome_.shape.n_cols, has_x}, parameters(),
                    outcome_.digest, budget_);
    outcome_.write_seconds = seconds_since(begin);
    outcome_.file_bytes = writing_->file_bytes();
  }

  void write_obsm(const io::OutputGroup& group) {
    io::ArrayOut array(group, "X_pca", outcome_.shape.n_rows, outcome_.n_comps, budget_, ValueType::f32);
    score([&](std::span<const float> scores) { array.append(scores); });
    array.finish();
  }

  // As scanpy: 64-bit where genes were chosen, else the type of the values.
  void write_varm(const io::OutputGroup& group) {
    const auto genes = matrix_->genes().genes();
    const Claim claim = budget_.claim("components", static_cast<std::size_t>(outcome_.shape.n_cols * outcome_.n_comps) * 12);
    const std::vector<double> loadings = loadings_of_all(components_, genes, outcome_.shape.n_cols);
    const bool wide = !outcome_.genes.is_all() || input_->matrix().data.type == "float64";
    io::ArrayOut array(group, "PCs", outcome_.shape.n_cols, outcome_.n_comps, budget_, wide ? ValueType::f64 : ValueType::f32);
    if (wide)
      array.append(std::span<const double>(loadings));
    else
      array.append(std::span<const float>(std::vector<float>(loadings.begin(), loadings.end())));
    array.finish();
  }

  Parameters parameters() {
    Parameters all{{"layer", input_->matrix().name}, {"n_comps", std::to_string(outcome_.n_comps)}, {"on", on_.text()}};
    if (!outcome_.genes.mask.empty()) all.emplace_back("mask", outcome_.genes.mask);
    if (!outcome_.genes.list.empty()) all.emplace_back("genes", std::filesystem::path(outcome_.genes.list.substr(1)).filename().string());
    return all;
  }

  void report() {
    RunFacts facts = facts_of(outcome_.run, budget_);
    facts.seconds = {{"compute", outcome_.run.seconds}, {"solve", outcome_.solve_seconds}, {"write", outcome_.write_seconds}};
    session_.report.set_run(facts);
    tell(outcome_, components_, output_ ? output_->files() : std::vector<std::string>{options_.output}, input_->matrix().name, session_);
    note_memory(budget_, session_);
  }

  PipelineOptions pipeline_options() { return streaming_options(session_, outcome_.shape.n_rows, options_.test_slots); }

  const PcaOptions& options_;
  Session& session_;
  ValuesOn on_;
  MemoryBudget budget_;
  std::optional<H5adWriting> writing_;
  std::optional<MatrixOutput> output_;  // one of the two
  std::unique_ptr<io::Input> input_;
  Claim flags_claim_;
  std::vector<std::uint8_t> flags_;
  std::optional<SelectedMatrix> matrix_;
  std::optional<KeptRows> kept_;
  Components components_;
  PcaOutcome outcome_;
};

void Pca::run(Session& session) { open_and_run<PcaRun>(options_, session); }

}  // namespace

std::unique_ptr<Command> make_pca() { return std::make_unique<Pca>(); }

}  // namespace quern::cli
