#include "io/view/viewer.hpp"

#include <algorithm>
#include <filesystem>

#include "io/detect.hpp"
#include "io/hdf5/chunk_index.hpp"
#include "io/hdf5/probe.hpp"
#include "io/mtx/mtx_file.hpp"
#include "io/names/name_sources.hpp"
#include "io/tenx/tenx_file.hpp"

namespace quern::io {
namespace {

// A probe that reads tables does more than one that reads metadata: a second for each 4 MiB of the file, compressed as it is.
unsigned seconds_for_values(std::uintmax_t file_bytes) { return static_cast<unsigned>(std::min<std::uintmax_t>(file_bytes >> 22, 600)); }

std::string without_slashes(std::string object) {
  while (object.ends_with('/')) object.pop_back();
  return object.substr(std::min(object.find_first_not_of('/'), object.size()));
}

bool has_column(const FrameInfo& frame, const std::string& name) {
  return name == frame.index ||
         std::any_of(frame.columns.begin(), frame.columns.end(), [&](const ColumnInfo& c) { return c.name == name; });
}

// The genes that are kept, when not all are.
std::vector<std::int64_t> kept_columns(const ColumnMap& map) {
  std::vector<std::int64_t> kept;
  for (std::size_t column = 0; column < map.to.size(); ++column)
    if (map.to[column] >= 0) kept.push_back(static_cast<std::int64_t>(column));
  return kept;
}

// A word of the command line that does not fit what the file holds.
bool is_of_contents(const Error& error) {
  static const std::vector<std::string> codes{"several-genomes", "no-such-genome", "no-genomes", "no-such-feature-type"};
  return std::find(codes.begin(), codes.end(), error.code()) != codes.end();
}

std::unique_ptr<OpenedInput> open_layout(const std::string& path, const InputOptions& options) {
  return detect_container(path) == Container::mtx ? open_mtx_input(path, options) : open_hdf5_input(path, options, false);
}

}  // namespace

Viewer::Viewer(const std::string& path, InputOptions options, const std::string& object)
    : path_(path), object_(without_slashes(object)), options_(std::move(options)) {
  if (object_.starts_with("genome/")) {
    options_.genome = object_.substr(7);
    object_ = "X";
  }
  if (object_ == "raw/X" || object_ == "raw.X") object_ = "raw";
  options_.layer = object_ == "raw" || object_.starts_with("layers/") ? object_ : "X";
  input_ = open_layout(path, options_);
  const auto genomes = info().keys.find("genomes");
  if (genomes != info().keys.end() && std::find(genomes->second.begin(), genomes->second.end(), object_) != genomes->second.end()) {
    options_.genome = object_;
    object_ = "X";
    input_ = open_layout(path, options_);
  }
  if (info().format == Format::tenx_v3 && object_ == "matrix") object_ = "X";
  if (info().format != Format::mtx_v2 && info().format != Format::mtx_v3)
    file_.emplace(path, options_.allow_external, false).set_budget(options_.budget);
}

std::vector<std::string> Viewer::objects() const {
  std::vector<std::string> names{"obs", "var"};
  for (const MatrixInfo& matrix : info().matrices) names.push_back(matrix.name);
  if (info().has_raw) names.emplace_back("raw/var");
  if (info().format != Format::h5ad) return names;
  for (const auto& [group, keys] : info().keys) {
    names.push_back(group);
    for (const std::string& key : keys) names.push_back(group + "/" + key);
  }
  for (const FrameInfo* frame : {&info().obs, &info().var})
    for (const ColumnInfo& column : frame->columns) names.push_back(frame->path.substr(1) + "/" + column.name);
  return names;
}

std::vector<Warning> Viewer::warnings() const {
  std::vector<Warning> all = input_->warnings();
  all.insert(all.end(), warnings_.begin(), warnings_.end());
  return all;
}

Element Viewer::open(const std::string& object) {
  try {
    return open_named(without_slashes(object));
  } catch (Error& error) {
    error.in_file(path_);
    throw;
  }
}

std::vector<MatrixInput> Viewer::matrices() {
  if (!file_) return {input_->matrix_input()};
  std::vector<MatrixInput> all;
  for (const MatrixInfo& matrix : info().matrices) {
    MatrixInput& input = all.emplace_back();
    input.file = file_->id();
    input.path = path_;
    input.matrix = matrix;
    input.tmp_dir = options_.tmp_dir;
  }
  return all;
}

Element Viewer::open_named(const std::string& object) {
  if (object == "X" || object == "raw" || (object.starts_with("layers/") && object.find('/', 7) == std::string::npos))
    return open_input_matrix();
  const FrameInfo* frames[] = {&info().obs, &info().var};
  const char* names[] = {"obs", "var"};
  for (std::size_t i = 0; i < 2; ++i) {
    if (object == names[i]) return open_frame_of(*frames[i], {});
    const std::string prefix = names[i] + std::string("/");
    if (object.starts_with(prefix) && has_column(*frames[i], object.substr(4))) return open_frame_of(*frames[i], object.substr(4));
  }
  if (!file_) throw input_error("missing-object", object, "a matrix directory has X, obs and var");
  const bool of_raw_var = object.starts_with("raw/var") || object.starts_with("raw.var");
  if (info().format == Format::h5ad && of_raw_var && !info().raw_var.path.empty()) {
    if (object.size() == 7) return open_frame_of(info().raw_var, {});
    if (object[7] == '/' && has_column(info().raw_var, object.substr(8))) return open_frame_of(info().raw_var, object.substr(8));
  }
  return open_any(object);
}

Element Viewer::open_input_matrix() {
  Element out;
  out.kind = ElementKind::matrix;
  out.matrix = input_->matrix_input();
  out.path = "/" + object_;
  const MatrixInfo& matrix = out.matrix.matrix;
  out.rows = {"cell", matrix.rows, [this] { return input_->row_names(); }};
  out.columns = {"gene", out.matrix.columns.to.empty() ? matrix.cols : out.matrix.columns.n_kept,
                 [this] { return input_->column_names(); }};
  return out;
}

// The frame that belongs to this matrix: a 10x file of several genomes has one for each.
FrameInfo Viewer::frame_of(const MatrixInfo& matrix, bool is_obs) const {
  if (!file_) {
    FrameInfo frame = is_obs ? info().obs : info().var;
    if (!frame.path.empty() && count_tsv_lines(frame.path) != frame.size) frame.columns.clear();  // nobody knows whose they are
    return frame;
  }
  FileInfo unused;
  return is_obs ? tenx_obs(*file_, matrix.feature_group, matrix.rows) : tenx_var(*file_, matrix.feature_group, matrix.cols, unused);
}

// obs, var and raw/var. Those of 10x follow the choice of genome and features.
Element Viewer::open_frame_of(const FrameInfo& frame, const std::string& column) {
  const bool is_obs = &frame == &info().obs, is_h5ad = info().format == Format::h5ad;
  Element out;
  if (is_h5ad) {
    out = open_frame(*file_, frame.path);
    std::erase_if(out.problems, [&](const Problem& problem) { return problem.object == frame.path; });  // told with the file's own
    warn_of_columns(out);
  } else {
    out.kind = ElementKind::table;
    const MatrixInput matrix = input_->matrix_input();
    const auto kept = is_obs ? std::vector<std::int64_t>{} : kept_columns(matrix.columns);
    out.rows.size = is_obs ? matrix.matrix.rows : matrix.columns.to.empty() ? matrix.matrix.cols : matrix.columns.n_kept;
    out.rows.names = [this, is_obs] { return is_obs ? input_->row_names() : input_->column_names(); };
    const FrameInfo shown = frame_of(matrix.matrix, is_obs);
    for (const ColumnInfo& c : shown.columns)
      out.table.push_back({c.name, c.kind, [this, shown, kept, name = c.name]() -> std::unique_ptr<NameSource> {
                             auto all = input_->column(shown, name);
                             if (kept.empty()) return all;
                             return std::make_unique<KeptNames>(std::move(all), kept);
                           }});
  }
  out.path = frame.path;
  out.rows.word = is_obs ? "cell" : "gene";
  if (!column.empty()) std::erase_if(out.table, [&](const TableColumn& c) { return c.name != column; });
  return out;
}

void Viewer::warn_of_columns(const Element& table) {
  for (const Problem& problem : table.problems) warnings_.push_back({"unusable-column", problem.object + ": " + problem.text});
}

Element Viewer::open_any(const std::string& object) {
  const std::string path = object.empty() ? "" : "/" + object;
  if (info().format == Format::h5ad && (object == "obsm" || object == "varm") && file_->is_dataset(path)) {
    Element out;
    out.kind = ElementKind::group;
    out.path = path;
    out.members = list_members(*file_, path);
    return out;
  }
  Element out = open_element(*file_, path);
  warn_of_columns(out);
  name_axes(out, object);
  return out;
}

Axis Viewer::obs_axis() const {
  const FrameInfo& frame = info().obs;
  return {"cell", frame.size, [this, &frame] { return input_->column(frame, frame.index); }};
}

Axis Viewer::var_axis() const {
  const FrameInfo& frame = info().var;
  return {"gene", frame.size, [this, &frame] { return input_->column(frame, frame.index); }};
}

// Elements of obsm, varm, obsp and varp have the names of cells and genes.
void Viewer::name_axes(Element& element, const std::string& object) const {
  if (info().format != Format::h5ad || element.kind == ElementKind::group || element.rows.names) return;
  const bool by_cell = object.starts_with("obsm/") || object.starts_with("obsp/");
  const bool by_gene = object.starts_with("varm/") || object.starts_with("varp/");
  if (!by_cell && !by_gene) return;
  const Axis axis = by_cell ? obs_axis() : var_axis();
  if (axis.size == element.rows.size) element.rows = axis;
  if (object[3] == 'p' && axis.size == element.columns.size) {
    element.columns = axis;
    element.columns.word = "other_" + axis.word;
  }
}

void Viewer::touch(const MatrixInfo& matrix) const {
  if (!file_) return;
  for (const StoredArray* array : {&matrix.data, &matrix.indices, &matrix.indptr})
    if (!array->path.empty()) visit_chunk_index(*file_, *array);
}

std::string view_in_probe(const std::string& path, const InputOptions& options, const std::string& object,
                          const std::function<std::string(Viewer&)>& work) {
  try {
    if (detect_container(path) == Container::mtx) return {};
    const auto look = [&] {
      Viewer viewer(path, options, object);
      return work(viewer);
    };
    const std::uintmax_t file_bytes = std::filesystem::file_size(path);
    ProbeLimits limits = probe_limits(file_bytes);
    limits.cpu_seconds += seconds_for_values(file_bytes);
    return run_in_probe(look, limits);
  } catch (Error& error) {
    if (error.kind() == ErrorKind::input || is_of_contents(error)) error.in_file(path);
    throw;
  }
}

}  // namespace quern::io
