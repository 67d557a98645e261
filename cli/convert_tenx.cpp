// `quern convert` to the 10x HDF5 format of Cell Ranger 3 and later.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "cli/convert_target.hpp"
#include "cli/version.hpp"
#include "io/carry/h5ad_output.hpp"
#include "io/carry/tenx_out.hpp"
#include "io/input_stamps.hpp"

namespace quern::cli {
namespace {

class TenxTarget final : public ConvertTarget {
 public:
  TenxTarget(const ConvertOptions& options, const ConvertPlan& plan, Session& session)
      : target_(options.output), plan_(plan), session_(session), stamps_(session.output_options().inputs) {
    if (target_ == "-") throw usage_error("stdout-output", "--output", "HDF5 cannot be written to standard output", "name a file");
    io::resolve_output(target_, session_.output_options());
  }

  void open(io::Input& input, const io::MatrixInfo* matrix) override {
    if (!matrix) throw input_error("no-such-matrix", "X", "the file holds no matrix", "name another with --layer");
    input_ = &input;
    bytes_planned_ = least_bytes(*matrix);
    if (session_.options.dry_run) return io::require_free_space(target_, bytes_planned_);
    output_ = std::make_unique<io::H5adOutput>(target_, session_.output_options(), bytes_planned_);
    session_.warn(output_->warnings());
    warn_of_what_stays_behind(input.info(), *matrix, session_);
  }

  std::string value_type(const io::FileInfo&, const io::MatrixInfo&) const override { return "int32"; }

  std::size_t memory_bytes(const ConvertPass& pass, const MemoryBudget& budget) const override {
    return io::TenxOut::memory_bytes(pass.shape, options(), budget);
  }

  std::size_t rest_bytes(const MatrixShape&) const override {
    constexpr std::size_t names_at_once = std::size_t{8} << 20;
    return names_at_once;
  }

  io::ElementType begin(const ConvertPass& pass, MemoryBudget& budget) override {
    shape_ = pass.shape;
    if (shape_.nnz < 0) shape_.nnz = shape_.n_rows * shape_.n_cols;
    in_output([&] { out_.emplace(output_->file(), shape_, options(), budget); });
    return out_->value_type();
  }
  void append(const ChunkBuffer& chunk, std::span<const std::byte> values) override {
    in_output([&] { out_->append(chunk, values); });
  }

  void write_full() override {
    in_output([&] { out_->write_full(); });
  }
  bool finish(ConvertOutcome&) override {
    in_output([&] { out_->finish(); });
    return true;
  }
  void start_over() override {
    out_->give_up();
    out_.reset();
    output_->start_over();
  }

  void commit(ConvertOutcome& outcome, MemoryBudget&) override {
    outcome.format = "10x-h5-v3";
    in_output([&] {
      const std::int64_t n_encoded = out_->write_names(*input_, output_->file());
      if (n_encoded > 0)
        session_.warn("encoded-names",
                      std::to_string(n_encoded) + " names hold characters beyond ASCII, written as &#NUMBER; as Cell Ranger does");
      out_.reset();
      stamps_.check();
      output_->commit_tenx({outcome.shape.n_rows, outcome.shape.n_cols, true});
    });
    outcome.file_bytes = output_->file_bytes();
  }
  std::int64_t bytes_planned() const override { return bytes_planned_; }

 private:
  template <class Work>
  void in_output(Work work) {
    try {
      work();
    } catch (Error& error) {
      if (error.kind() == ErrorKind::output) error.in_file(target_);
      throw;
    }
  }

  // The indices alone take 1 byte each, however they are packed but for long runs.
  std::int64_t least_bytes(const io::MatrixInfo& matrix) const {
    const std::int64_t entries = std::max<std::int64_t>(matrix.nnz, 0);
    return plan_.compression.packing == io::Packing::none ? 12 * entries : entries / 2;
  }

  io::TenxOutOptions options() const {
    io::TenxOutOptions options{plan_.compression, plan_.chunk_length, session_.options.threads, std::string("quern ") + version(), {}};
    options.compression.shuffle = options.compression.shuffle || options.compression.packing == io::Packing::gzip;
    options.library = std::filesystem::path(session_.options.input).filename().string();
    return options;
  }

  std::string target_;
  const ConvertPlan& plan_;
  Session& session_;
  io::InputStamps stamps_;
  std::int64_t bytes_planned_ = 0;
  MatrixShape shape_;
  io::Input* input_ = nullptr;
  std::unique_ptr<io::H5adOutput> output_;
  std::optional<io::TenxOut> out_;
};

}  // namespace

std::unique_ptr<ConvertTarget> make_tenx_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session) {
  return std::make_unique<TenxTarget>(options, plan, session);
}

}  // namespace quern::cli
