// A 10x matrix directory as an input.
#include "host/core/error.hpp"
#include "io/mtx/mtx_file.hpp"
#include "io/names/name_sources.hpp"
#include "io/opened_input.hpp"

namespace quern::io {

namespace {

class MtxInput final : public OpenedInput {
 public:
  MtxInput(MtxFiles files, FileInfo info, const InputOptions& options) : OpenedInput(std::move(info), options), files_(std::move(files)) {}

 private:
  std::string chosen_matrix() override {
    if (!options().genome.empty())
      throw usage_error("no-genomes", "--genome", "a matrix directory has no genomes to choose from", "leave --genome out");
    return options().layer;
  }
  MatrixInput place(const MatrixInfo&) override {
    MatrixInput input;
    input.path = files_.matrix;
    return input;
  }
  std::unique_ptr<ChunkSource> make_source(const MatrixInput& input, MemoryBudget& budget) override {
    return make_mtx_source(input, budget);
  }

  // The table's column when it has as many lines as names are needed; positions, and a warning, otherwise.
  std::unique_ptr<NameSource> names(const std::string& table, int column, std::int64_t size, const std::string& prefix) {
    const std::int64_t lines = table.empty() ? -1 : count_tsv_lines(table);
    if (lines == size) return open_tsv_column(table, column, size);
    warn("no-usable-names", positional_names_text(table, lines, size, prefix));
    return std::make_unique<PositionalNames>(prefix, size);
  }
  std::unique_ptr<NameSource> all_row_names(const MatrixInfo& matrix) override { return names(files_.barcodes, 0, matrix.rows, "cell_"); }
  std::unique_ptr<NameSource> all_column_names(const MatrixInfo& matrix) override {
    return names(files_.features, 1, matrix.cols, "gene_");
  }
  std::unique_ptr<NameSource> open_column(const FrameInfo& frame, const std::string& name) override {
    const bool features = frame.path == files_.features;
    return open_tsv_column(frame.path, !features || name == "gene_ids" ? 0 : name == "feature_types" ? 2 : 1, frame.size);
  }
  FrameInfo features_of(const MatrixInfo& matrix) override {
    const bool told = !files_.features.empty() && count_tsv_lines(files_.features) == matrix.cols;
    return told ? info().var : FrameInfo();
  }
  bool makes_names_unique() const override { return true; }
  void filter_features(FeatureFilter& filter, const MatrixInfo& matrix) override {
    const std::string& wanted = options().feature_type;
    if (wanted == "all") return;
    const bool told = info().var.columns.size() > 1 && count_tsv_lines(files_.features) == matrix.cols;
    if (told) return filter.keep_only(*open_tsv_column(files_.features, 2, matrix.cols), wanted, "feature type", "no-such-feature-type");
    if (wanted != InputOptions().feature_type)
      throw usage_error("no-such-feature-type", wanted, "the directory does not tell the types of its features");
  }

  MtxFiles files_;
};

}  // namespace

std::unique_ptr<OpenedInput> open_mtx_input(const std::string& path, const InputOptions& options) {
  MtxFiles files = *find_mtx(path);
  FileInfo info = describe_mtx(path, files);
  return std::make_unique<MtxInput>(std::move(files), std::move(info), options);
}

}  // namespace quern::io
