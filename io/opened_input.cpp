#include "io/opened_input.hpp"

#include <algorithm>
#include <sstream>

#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"

namespace quern::io {

template <class Work>
auto OpenedInput::in_file(Work work) {
  try {
    return work();
  } catch (Error& error) {
    error.in_file(info_.path);
    throw;
  }
}

OpenedInput::OpenedInput(FileInfo info, InputOptions options)
    : info_(std::move(info)), options_(std::move(options)), warnings_(info_.warnings) {}

void OpenedInput::warn(const std::string& code, const std::string& text) {
  const bool said = std::any_of(warnings_.begin(), warnings_.end(), [&](const Warning& w) { return w.code == code && w.text == text; });
  if (!said) warnings_.push_back({code, text});
}

const MatrixInfo& OpenedInput::matrix_named(const std::string& name) const {
  std::string names;
  for (const MatrixInfo& matrix : info_.matrices) {
    if (matrix.name == name) return matrix;
    names += (names.empty() ? "" : ", ") + matrix.name;
  }
  for (const Problem& problem : info_.problems)
    if (problem.matrix == name) throw input_error(problem.code, problem.object, problem.text, "check the file with `quern check`");
  const std::string meant = name == "raw.X" || name == "raw/X" ? "raw" : "layers/" + name;
  const bool is_there = std::any_of(info_.matrices.begin(), info_.matrices.end(), [&](const MatrixInfo& m) { return m.name == meant; });
  throw input_error("no-such-matrix", name, names.empty() ? "the file holds no matrix" : "not in the file, which has " + names,
                    names.empty() ? ""
                    : is_there    ? "did you mean --layer " + meant + "?"
                                  : "choose one with --layer");
}

const MatrixInfo& OpenedInput::matrix() {
  if (matrix_ == nullptr) matrix_ = in_file([&] { return &matrix_named(chosen_matrix()); });
  return *matrix_;
}

const FeatureFilter& OpenedInput::filter() {
  if (filter_) return *filter_;
  claim_features(1);
  FeatureFilter made(matrix().cols);
  in_file([&] { filter_features(made, matrix()); });
  if (!made.keeps_all())
    claim_features(2 * sizeof(std::int32_t) + sizeof(std::int64_t));  // the map, its copy in a source, the names' places
  if (!made.left_out().empty())
    warn("features-left-out",
         "left out " + made.left_out() + "; " + std::to_string(made.kept()) + " features are used (see --feature-type)");
  return filter_.emplace(std::move(made));
}

void OpenedInput::claim_features(std::size_t bytes_each) {
  if (options_.budget)
    claims_.push_back(options_.budget->claim("choice of features", static_cast<std::size_t>(matrix().cols) * bytes_each));
}

std::int64_t OpenedInput::n_vars() { return filter().kept(); }

MatrixInput OpenedInput::matrix_input() {
  return in_file([&] {
    MatrixInput input = place(matrix());
    input.matrix = matrix();
    input.columns = filter().map();
    input.tmp_dir = options_.tmp_dir;
    input.threads = options_.threads;
    input.stop = options_.stop;
    return input;
  });
}

std::unique_ptr<ChunkSource> OpenedInput::source(MemoryBudget& budget) {
  return in_file([&] { return make_source(matrix_input(), budget); });
}

std::unique_ptr<ChunkSource> OpenedInput::make_source(const MatrixInput& input, MemoryBudget& budget) {
  switch (input.matrix.storage) {
    case Storage::csr:
      return make_csr_source(input, budget);
    case Storage::csc:
      return make_csc_source(input, budget);
    case Storage::dense:
      break;
  }
  return make_dense_source(input, budget);
}

std::unique_ptr<NameSource> OpenedInput::row_names() {
  return in_file([&] { return all_row_names(matrix()); });
}

std::unique_ptr<NameSource> OpenedInput::column_names() {
  filter();
  return in_file([&] { return kept(all_column_names(matrix())); });
}

std::unique_ptr<NameSource> OpenedInput::kept(std::unique_ptr<NameSource> all) {
  if (filter().keeps_all()) return all;
  return std::make_unique<KeptNames>(std::move(all), filter().kept_features());
}

FrameInfo OpenedInput::features() {
  return in_file([&] { return features_of(matrix()); });
}

std::unique_ptr<NameSource> OpenedInput::feature_column(const std::string& name) {
  filter();
  return in_file([&] { return kept(open_column(features_of(matrix()), name)); });
}

std::unique_ptr<NameSource> OpenedInput::scanpy_names(MemoryBudget& budget) {
  if (!makes_names_unique()) return column_names();
  filter();
  return in_file([&] { return kept(std::make_unique<UniqueNames>(*all_column_names(matrix()), budget)); });
}

std::unique_ptr<NameSource> OpenedInput::column(const FrameInfo& frame, const std::string& name) {
  return in_file([&] { return open_column(frame, name); });
}

Labels OpenedInput::labels(const std::string& column, MemoryBudget& budget) {
  return in_file([&] { return labels_of(column, budget); });
}

double OpenedInput::log_base() {
  return in_file([&] { return stored_log_base(); });
}

namespace {

void read_through(NameSource& names) {
  if (!names.may_crash()) return;
  for_each_name(names, [](const std::string&, std::int64_t) {});
}

// Calls `work`; the user's own errors and those of single elements come again, and better placed, when the element is used.
template <class Work>
void leave_errors_for_later(Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.code() == "corrupt-hdf5") throw;
  }
}

}  // namespace

void OpenedInput::touch(ProbeDepth depth) {
  if (depth == ProbeDepth::metadata) return;
  leave_errors_for_later([&] { read_through(*row_names()); });
  leave_errors_for_later([&] { read_through(*column_names()); });
  leave_errors_for_later([&] { touch_chunk_index(matrix()); });
  leave_errors_for_later([&] { stored_log_base(); });
  for (const ColumnInfo& column : info_.obs.columns)
    if (std::find(options_.labels.begin(), options_.labels.end(), column.name) != options_.labels.end())
      leave_errors_for_later([&] { read_through(*open_column(info_.obs, column.name)); });
  if (depth == ProbeDepth::run) return;
  leave_errors_for_later([&] {
    for (const ColumnInfo& column : features().columns) read_through(*feature_column(column.name));
  });
  if (depth == ProbeDepth::features) return;
  for (const MatrixInfo& matrix : info_.matrices) touch_chunk_index(matrix);
  for (const FrameInfo* frame : {&info_.obs, &info_.var, &info_.raw_var}) {
    if (!frame->index.empty()) leave_errors_for_later([&] { read_through(*open_column(*frame, frame->index)); });
    for (const ColumnInfo& column : frame->columns) leave_errors_for_later([&] { read_through(*open_column(*frame, column.name)); });
  }
}

std::string OpenedInput::storage_sizes() const {
  std::string text;
  for (const MatrixInfo& matrix : info_.matrices)
    for (const StoredArray* array : {&matrix.data, &matrix.indices, &matrix.indptr}) text += std::to_string(array->bytes_on_disk) + " ";
  return text;
}

void OpenedInput::set_storage_sizes(const std::string& sizes) {
  std::istringstream text(sizes);
  for (MatrixInfo& matrix : info_.matrices)
    for (StoredArray* array : {&matrix.data, &matrix.indices, &matrix.indptr}) text >> array->bytes_on_disk;
}

}  // namespace quern::io
