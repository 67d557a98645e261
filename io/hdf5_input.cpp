// h5ad and 10x HDF5 inputs.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "io/detect.hpp"
#include "io/h5ad/column.hpp"
#include "io/h5ad/h5ad_file.hpp"
#include "io/h5ad/labels.hpp"
#include "io/hdf5/chunk_index.hpp"
#include "io/names/name_sources.hpp"
#include "io/opened_input.hpp"
#include "io/tenx/tenx_file.hpp"

namespace quern::io {
namespace {

class Hdf5Input : public OpenedInput {
 protected:
  Hdf5Input(Hdf5File file, FileInfo info, const InputOptions& options) : OpenedInput(std::move(info), options), file_(std::move(file)) {}

  MatrixInput place(const MatrixInfo&) override {
    MatrixInput input;
    input.file = file_.id();
    input.path = file_.path();
    return input;
  }
  std::unique_ptr<NameSource> open_column(const FrameInfo& frame, const std::string& name) override {
    return io::open_column(file_, find_column(file_, frame.path, name));
  }
  void touch_chunk_index(const MatrixInfo& matrix) override {
    for (const StoredArray* array : {&matrix.data, &matrix.indices, &matrix.indptr})
      if (!array->path.empty()) visit_chunk_index(file_, *array);
  }
  const Hdf5File& file() const { return file_; }

 private:
  Hdf5File file_;
};

class H5adInput final : public Hdf5Input {
 public:
  H5adInput(Hdf5File file, FileInfo info, const InputOptions& options) : Hdf5Input(std::move(file), std::move(info), options) {}

 private:
  std::string chosen_matrix() override {
    if (!options().genome.empty())
      throw usage_error("no-genomes", "--genome", "an h5ad has no genomes to choose from", "leave --genome out");
    const std::string& type = options().feature_type;
    if (type != "all" && type != InputOptions().feature_type)
      throw usage_error("no-such-feature-type", type, "an h5ad does not tell the types of its features", "leave --feature-type out");
    return options().layer;
  }
  std::unique_ptr<NameSource> all_row_names(const MatrixInfo&) override { return open_column(info().obs, info().obs.index); }
  std::unique_ptr<NameSource> all_column_names(const MatrixInfo& matrix) override {
    const FrameInfo& frame = matrix.name == "raw" ? info().raw_var : info().var;
    return open_column(frame, frame.index);
  }
  Labels labels_of(const std::string& column, MemoryBudget& budget) override {
    return read_labels(file(), info().obs.path, column, budget);
  }
  double stored_log_base() override {
    const std::string path = "/uns/log1p/base";
    if (!file().is_dataset(path)) return 0;
    const Dataset base = open_described(file(), path);
    const bool is_number = base.element.kind == TypeClass::floating || base.element.kind == TypeClass::integer;
    if (base.is_null || !is_number || base.count() != 1) return 0;
    double value = 0;
    read_values(base, H5T_NATIVE_DOUBLE, {}, H5P_DEFAULT, &value, path);
    return value;
  }
  FrameInfo features_of(const MatrixInfo& matrix) override {
    constexpr std::array<std::string_view, 8> known{"gene_ids", "gene_symbols", "feature_name", "feature_types",
                                                    "genome",   "read",         "pattern",      "sequence"};
    FrameInfo frame = matrix.name == "raw" ? info().raw_var : info().var;
    std::erase_if(frame.columns, [&](const ColumnInfo& c) { return std::find(known.begin(), known.end(), c.name) == known.end(); });
    return frame;
  }
};

class TenxInput final : public Hdf5Input {
 public:
  TenxInput(Hdf5File file, FileInfo info, const InputOptions& options) : Hdf5Input(std::move(file), std::move(info), options) {}

 private:
  bool has_genome_groups() const { return info().format == Format::tenx_v2; }

  std::string chosen_matrix() override {
    if (options().layer != "X") return options().layer;
    if (!has_genome_groups()) return "X";
    const auto& genomes = info().keys.at("genomes");
    std::string names;
    for (const std::string& genome : genomes) names += (names.empty() ? "" : ", ") + genome;
    const std::string& wanted = options().genome;
    if (wanted.empty() && genomes.size() > 1)
      throw usage_error("several-genomes", "--genome", "the file holds several genomes: " + names, "name one with --genome");
    if (!wanted.empty() && std::find(genomes.begin(), genomes.end(), wanted) == genomes.end())
      throw usage_error("no-such-genome", wanted, "not in the file, which has " + names, "name one of these with --genome");
    return genomes.size() > 1 ? "genome/" + wanted : "X";
  }

  std::unique_ptr<NameSource> names_or_positions(const FrameInfo& frame, const std::string& prefix, const std::string& what) {
    if (!frame.index.empty()) return open_column(frame, frame.index);
    warn("no-usable-names", positional_names_text(frame.size, what, prefix));
    return std::make_unique<PositionalNames>(prefix, frame.size);
  }
  std::unique_ptr<NameSource> all_row_names(const MatrixInfo& matrix) override {
    return names_or_positions(tenx_obs(file(), matrix.feature_group, matrix.rows), "cell_", "barcodes");
  }
  std::unique_ptr<NameSource> all_column_names(const MatrixInfo& matrix) override {
    return names_or_positions(features_of(matrix), "gene_", "gene names");
  }
  std::unique_ptr<NameSource> open_column(const FrameInfo& frame, const std::string& name) override {
    return Hdf5Input::open_column(frame, has_genome_groups() && name == "gene_ids" ? "genes" : name);
  }

  FrameInfo features_of(const MatrixInfo& matrix) override {
    FileInfo unused;
    return tenx_var(file(), matrix.feature_group, matrix.cols, unused);
  }
  void filter_features(FeatureFilter& filter, const MatrixInfo& matrix) override {
    const FrameInfo frame = features_of(matrix);
    keep(filter, frame, "feature_type", options().feature_type == "all" ? "" : options().feature_type, "feature type");
    if (has_genome_groups()) return;
    keep(filter, frame, "genome", options().genome, "genome");
    if (options().genome.empty() && has_column(frame, "genome")) warn_of_genomes(filter.kept_labels(*open_column(frame, "genome")));
  }
  // All are read, as scanpy does: right where the genomes were mixed on purpose.
  void warn_of_genomes(const std::string& genomes) {
    if (genomes.empty()) return;
    warn("several-genomes", "the features are of several genomes (" + genomes + ") and are all read; --genome chooses one");
  }
  static bool has_column(const FrameInfo& frame, const std::string& column) {
    return std::any_of(frame.columns.begin(), frame.columns.end(), [&](const ColumnInfo& c) { return c.name == column; });
  }
  void keep(FeatureFilter& filter, const FrameInfo& frame, const std::string& column, const std::string& wanted, const std::string& what) {
    if (wanted.empty()) return;
    const bool present = has_column(frame, column);
    const bool is_default = column == "feature_type" && wanted == InputOptions().feature_type;
    if (!present && is_default) return;
    const std::string code = column == "genome" ? "no-such-genome" : "no-such-feature-type";
    if (!present) throw usage_error(code, wanted, "the file does not tell the " + what + " of its features");
    filter.keep_only(*open_column(frame, column), wanted, what, code);
  }
};

}  // namespace

std::unique_ptr<OpenedInput> open_hdf5_input(const std::string& path, const InputOptions& options, bool measures_storage) {
  Hdf5File file(path, options.allow_external, measures_storage);
  file.set_budget(options.budget);
  const Format format = detect_layout(file);
  FileInfo info = format == Format::tenx_v2   ? describe_tenx_v2(file)
                  : format == Format::tenx_v3 ? describe_tenx_v3(file)
                                              : describe_h5ad(file);
  info.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path));
  if (format == Format::h5ad) return std::make_unique<H5adInput>(std::move(file), std::move(info), options);
  return std::make_unique<TenxInput>(std::move(file), std::move(info), options);
}

}  // namespace quern::io
