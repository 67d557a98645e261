// `quern convert` to h5ad.
#include <algorithm>
#include <optional>

#include "cli/convert_target.hpp"
#include "cli/h5ad_writing.hpp"
#include "io/carry/from_tenx.hpp"
#include "io/carry/matrix_out.hpp"

namespace quern::cli {
namespace {

class H5adTarget final : public ConvertTarget {
 public:
  H5adTarget(const ConvertOptions& options, const ConvertPlan& plan, Session& session)
      : plan_(plan), session_(session), writing_(options.output, !options.no_provenance, session, !options.to.empty()) {}

  void open(io::Input& input, const io::MatrixInfo* matrix) override {
    input_ = &input;
    matrix_ = matrix;
    writing_.open(input, matrix ? added_bytes(input.info(), *matrix, plan_) : 0);
    warn_of_compression(plan_.compression, session_);
  }

  std::string value_type(const io::FileInfo& info, const io::MatrixInfo& matrix) const override {
    return plan_.dtype.empty() ? io::scanpy_value_type(info, matrix) : plan_.dtype;
  }

  std::size_t memory_bytes(const ConvertPass& pass, const MemoryBudget& budget) const override {
    return io::MatrixOut::memory_bytes(upper_bound(pass.shape), options_for(pass), budget);
  }

  std::size_t rest_bytes(const MatrixShape& shape) const override { return writing_.carry_bytes(shape.n_rows, shape.n_cols); }

  io::ElementType begin(const ConvertPass& pass, MemoryBudget& budget) override {
    writing_.stream([&] { out_.emplace(writing_.file(), upper_bound(pass.shape), options_for(pass), budget); });
    return out_->value_type();
  }
  void append(const ChunkBuffer& chunk, std::span<const std::byte> values) override {
    writing_.stream([&] { out_->append(chunk, values); });
  }

  void write_full() override {
    writing_.stream([&] { out_->write_full(); });
  }
  bool finish(ConvertOutcome& outcome) override {
    writing_.stream([&] { out_->finish(); });
    outcome.copied_indices = out_->copies();
    outcome.copied_data = out_->copies_data();
    out_.reset();
    return true;
  }
  void start_over() override {
    out_->give_up();
    out_.reset();
    writing_.start_over();
  }

  void commit(ConvertOutcome& outcome, MemoryBudget& budget) override {
    io::CarryOptions options;
    options.with_x = false;
    options.raw_as_x = matrix_ && matrix_->name == "raw";
    const Parameters parameters{{"layer", matrix_ ? matrix_->name : "none"}, {"value_type", outcome.value_type}};
    writing_.write(std::move(options), {outcome.shape.n_rows, outcome.shape.n_cols, matrix_ != nullptr}, parameters, outcome.digest,
                   budget);
    outcome.file_bytes = writing_.file_bytes();
  }
  std::int64_t bytes_planned() const override { return writing_.bytes_planned(); }

 private:
  // The entries of a dense matrix are known once it has been read; until then all of it counts.
  static MatrixShape upper_bound(MatrixShape shape) {
    if (shape.nnz < 0) shape.nnz = shape.n_rows * shape.n_cols;
    return shape;
  }

  io::MatrixOutOptions options_for(const ConvertPass& pass) const {
    io::MatrixOutOptions options;
    options.compression = plan_.compression;
    options.threads = session_.options.threads;
    options.from = pass.keeps_chunks && !session_.options.dry_run ? writing_.from() : nullptr;
    options.matrix = matrix_;
    options.keeps_data = pass.value_type == matrix_->data.type;
    options.stored_type = pass.value_type;
    options.chunk_length = plan_.chunk_length;
    return options;
  }

  const ConvertPlan& plan_;
  Session& session_;
  H5adWriting writing_;
  io::Input* input_ = nullptr;
  const io::MatrixInfo* matrix_ = nullptr;
  std::optional<io::MatrixOut> out_;
};

}  // namespace

std::unique_ptr<ConvertTarget> make_h5ad_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session) {
  return std::make_unique<H5adTarget>(options, plan, session);
}

}  // namespace quern::cli
