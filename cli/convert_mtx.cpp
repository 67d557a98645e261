// `quern convert` to a matrix directory of Cell Ranger 3 and later.
#include <algorithm>
#include <array>
#include <optional>

#include "cli/convert_target.hpp"
#include "cli/version.hpp"
#include "io/carry/feature_texts.hpp"
#include "io/carry/from_tenx.hpp"
#include "io/carry/h5ad_output.hpp"
#include "io/carry/value_encoding.hpp"
#include "io/input_stamps.hpp"
#include "io/mtx/mtx_out.hpp"
#include "io/names/name_sources.hpp"
#include "io/safe_directory.hpp"

namespace quern::cli {
namespace {

enum FileOf : std::size_t { matrix_file, features_file, barcodes_file };

const io::FolderFiles& folder_files() {
  static const io::FolderFiles files{{"matrix.mtx.gz", "features.tsv.gz", "barcodes.tsv.gz"},
                                     {"matrix.mtx", "features.tsv", "barcodes.tsv", "genes.tsv", "genes.tsv.gz"}};
  return files;
}

class MtxTarget final : public ConvertTarget {
 public:
  MtxTarget(const ConvertOptions& options, const ConvertPlan& plan, Session& session)
      : target_(options.output), plan_(plan), session_(session), stamps_(session.output_options().inputs) {
    if (target_ == "-") throw usage_error("stdout-output", "--output", "a folder cannot be written to standard output", "name a folder");
    if (plan.compression.packing != io::Packing::gzip || plan.compression.shuffle)
      throw usage_error("bad-compression", "--compression", "the files of a matrix directory are gzip", "use gzip:1 to gzip:9");
    if (options.chunk > 0) throw usage_error("bad-value", "--chunk", "a matrix directory has no stored chunks", "leave --chunk out");
    io::resolve_folder(target_, folder_files(), session_.output_options());
  }

  void open(io::Input& input, const io::MatrixInfo* matrix) override {
    if (!matrix) throw input_error("no-such-matrix", "X", "the file holds no matrix", "name another with --layer");
    input_ = &input;
    bytes_planned_ = std::max<std::int64_t>(matrix->nnz, 0) * 2;  // a line takes 2 bytes or more, packed
    if (session_.options.dry_run) return io::require_free_space(target_, bytes_planned_);
    io::require_free_space(target_, bytes_planned_);
    output_.emplace(target_, folder_files(), session_.output_options());
    session_.warn(output_->warnings());
    warn_of_what_stays_behind(input.info(), *matrix, session_);
  }

  // Text holds every number; real ones are written in as many digits as their type needs.
  std::string value_type(const io::FileInfo&, const io::MatrixInfo& matrix) const override {
    return matrix.data.type == "float32" || matrix.data.type == "float16" ? "float32" : "float64";
  }

  std::size_t memory_bytes(const ConvertPass& pass, const MemoryBudget& budget) const override {
    return io::MtxMatrixOut::memory_bytes(options_for(pass), budget);
  }

  std::size_t rest_bytes(const MatrixShape&) const override {
    constexpr std::size_t names_at_once = std::size_t{11} << 20;
    return names_at_once;
  }

  io::ElementType begin(const ConvertPass& pass, MemoryBudget& budget) override {
    whole_ = pass.whole;
    out_.emplace(output_->descriptor(matrix_file), output_->path(matrix_file), pass.shape, options_for(pass), budget);
    return io::element_type(io::type_named(pass.value_type).get());
  }
  void append(const ChunkBuffer& chunk, std::span<const std::byte>) override { out_->append(chunk); }
  bool finish(ConvertOutcome& outcome) override {
    outcome.value_type = whole_ ? "integer" : "real";
    return out_->finish();
  }
  void start_over() override {
    out_.reset();
    output_->start_over();
  }

  void commit(ConvertOutcome& outcome, MemoryBudget& budget) override {
    outcome.format = "10x-mtx-v3";
    out_.reset();
    std::vector<io::FeatureTexts> lists = io::feature_texts(*input_);
    const std::int64_t n_vars = outcome.shape.n_cols;
    std::vector<std::unique_ptr<NameSource>> columns;
    for (std::size_t i = 0; i < 3; ++i)
      columns.push_back(lists[i].source ? std::move(lists[i].source) : std::make_unique<io::SameText>(lists[i].text, n_vars));
    const std::array<NameSource*, 3> features{columns[0].get(), columns[1].get(), columns[2].get()};
    const auto barcodes = input_->row_names();
    NameSource* const cells = barcodes.get();
    const int level = plan_.compression.level;
    io::write_tsv(output_->descriptor(features_file), output_->path(features_file), features, level, budget);
    io::write_tsv(output_->descriptor(barcodes_file), output_->path(barcodes_file), {&cells, 1}, level, budget);
    stamps_.check();
    outcome.file_bytes = output_->commit();
  }
  std::int64_t bytes_planned() const override { return bytes_planned_; }

 private:
  io::MtxOutOptions options_for(const ConvertPass& pass) const {
    const ValueType type = pass.value_type == "float64" ? ValueType::f64 : ValueType::f32;
    return {plan_.compression.level, session_.options.threads, type, pass.whole, std::string("quern ") + version()};
  }

  std::string target_;
  const ConvertPlan& plan_;
  Session& session_;
  io::InputStamps stamps_;
  std::int64_t bytes_planned_ = 0;
  bool whole_ = true;
  io::Input* input_ = nullptr;
  std::optional<io::SafeDirectory> output_;
  std::optional<io::MtxMatrixOut> out_;
};

}  // namespace

std::unique_ptr<ConvertTarget> make_mtx_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session) {
  return std::make_unique<MtxTarget>(options, plan, session);
}

}  // namespace quern::cli
