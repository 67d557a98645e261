// What inputs of all formats have in common: the choice of the matrix, the feature filter, sources and names.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/h5ad/labels.hpp"
#include "io/input.hpp"
#include "io/sources.hpp"
#include "io/tenx/feature_filter.hpp"

namespace quern::io {

class OpenedInput : public Input {
 public:
  const FileInfo& info() const override { return info_; }
  const MatrixInfo& matrix() override;
  std::int64_t n_vars() override;
  std::unique_ptr<ChunkSource> source(MemoryBudget& budget) override;
  std::unique_ptr<NameSource> row_names() override;
  std::unique_ptr<NameSource> column_names() override;
  FrameInfo features() override;
  std::unique_ptr<NameSource> feature_column(const std::string& name) override;
  std::unique_ptr<NameSource> scanpy_names(MemoryBudget& budget) override;
  std::unique_ptr<NameSource> column(const FrameInfo& frame, const std::string& name) override;
  Labels labels(const std::string& column, MemoryBudget& budget) override;
  double log_base() override;
  const std::vector<Warning>& warnings() const override { return warnings_; }

  // Where the matrix is stored and which of its genes are kept; valid as long as this input.
  MatrixInput matrix_input();

  // Reads what later work may read, for the probe; errors of the options (no such matrix ...) are left for later.
  void touch(ProbeDepth depth);
  // The stored bytes of every array of every matrix, for a process that did not measure them itself.
  std::string storage_sizes() const;
  void set_storage_sizes(const std::string& sizes);

 protected:
  OpenedInput(FileInfo info, InputOptions options);
  const InputOptions& options() const { return options_; }
  void warn(const std::string& code, const std::string& text);
  const MatrixInfo& matrix_named(const std::string& name) const;

  virtual std::string chosen_matrix() = 0;  // its name; checks the options against the format
  virtual std::unique_ptr<NameSource> all_row_names(const MatrixInfo& matrix) = 0;
  virtual std::unique_ptr<NameSource> all_column_names(const MatrixInfo& matrix) = 0;
  virtual FrameInfo features_of(const MatrixInfo&) { return {}; }
  virtual bool makes_names_unique() const { return false; }
  virtual std::unique_ptr<NameSource> open_column(const FrameInfo& frame, const std::string& name) = 0;
  virtual Labels labels_of(const std::string&, MemoryBudget&) { return {}; }
  virtual double stored_log_base() { return 0; }
  virtual void filter_features(FeatureFilter&, const MatrixInfo&) {}
  virtual void touch_chunk_index(const MatrixInfo&) {}
  virtual MatrixInput place(const MatrixInfo& matrix) = 0;
  virtual std::unique_ptr<ChunkSource> make_source(const MatrixInput& input, MemoryBudget& budget);

 private:
  template <class Work>
  auto in_file(Work work);
  const FeatureFilter& filter();
  std::unique_ptr<NameSource> kept(std::unique_ptr<NameSource> all);
  void claim_features(std::size_t bytes_each);

  FileInfo info_;
  InputOptions options_;
  std::vector<Warning> warnings_;
  const MatrixInfo* matrix_ = nullptr;
  std::vector<Claim> claims_;
  std::optional<FeatureFilter> filter_;
};

// The layouts. Each describes its file when made; `measures_storage` is that of Hdf5File.
std::unique_ptr<OpenedInput> open_hdf5_input(const std::string& path, const InputOptions& options, bool measures_storage);
std::unique_ptr<OpenedInput> open_mtx_input(const std::string& path, const InputOptions& options);

}  // namespace quern::io
