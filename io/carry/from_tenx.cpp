#include "io/carry/from_tenx.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "io/carry/copy_text.hpp"
#include "io/carry/matrix_out.hpp"
#include "io/carry/value_encoding.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/names/name_sources.hpp"
#include "io/view/source_walk.hpp"

namespace quern::io {
namespace {

struct FeatureColumn {
  std::string name, stored;  // in var, in the file
  bool is_flag = false;
};

const ColumnInfo* find(const FrameInfo& frame, std::string_view name) {
  const auto found = std::find_if(frame.columns.begin(), frame.columns.end(), [&](const ColumnInfo& c) { return c.name == name; });
  return found == frame.columns.end() ? nullptr : &*found;
}

// In scanpy's order; with the names of Cell Ranger 3 on disk or the ones that our readers of older files give.
std::vector<FeatureColumn> var_columns(const FrameInfo& features) {
  constexpr std::array<std::string_view, 6> renamed{"id", "gene_id", "feature_type", "name", "gene_ids", "feature_types"};
  std::vector<FeatureColumn> columns;
  const auto add = [&](const char* name, std::string_view stored) {
    if (find(features, stored)) columns.push_back({name, std::string(stored)});
  };
  const bool has_probes = find(features, "gene_id") != nullptr;
  add("gene_ids", "gene_ids");
  add("gene_ids", has_probes ? "gene_id" : "id");
  if (has_probes) add("probe_ids", "id");
  add("feature_types", "feature_types");
  add("feature_types", "feature_type");
  for (const ColumnInfo& column : features.columns)
    if (std::find(renamed.begin(), renamed.end(), column.name) == renamed.end())
      columns.push_back({column.name, column.name, column.kind == "bool"});
  return columns;
}

bool is_whole_and_rounded(double value) {
  constexpr double largest = 9007199254740992;  // 2^53: what no conversion of integers exceeds
  return std::abs(value) > 1 << 24 && std::abs(value) <= largest && value == std::trunc(value) &&
         static_cast<double>(static_cast<float>(value)) != value;
}

// Leaves the kept rows and columns of chunk after chunk, closing the gaps. Values are doubles.
class Cutter {
 public:
  Cutter(const Selection& rows, std::int64_t n_rows, std::vector<std::int32_t> columns)
      : rows_(rows.ranges(n_rows)), columns_(std::move(columns)) {}

  // The number of rows that are left.
  std::size_t cut(ChunkBuffer& chunk) {
    std::size_t n_rows = 0;
    n_entries_ = 0;
    for (; next_ < rows_.size() && rows_[next_].first < chunk.rows.last; ++next_) {
      const std::int64_t first = std::max(rows_[next_].first, chunk.rows.first), last = std::min(rows_[next_].last, chunk.rows.last);
      std::int32_t begin = chunk.offsets[first - chunk.rows.first];
      for (std::int64_t row = first; row < last; ++row) {
        const std::int32_t end = chunk.offsets[row + 1 - chunk.rows.first];
        keep_entries(chunk, begin, end);
        chunk.offsets[++n_rows] = n_entries_;
        begin = end;
      }
      if (rows_[next_].last > chunk.rows.last) break;
    }
    return n_rows;
  }

 private:
  void keep_entries(ChunkBuffer& chunk, std::int32_t begin, std::int32_t end) {
    auto* values = chunk.values_as<double>();
    for (std::int32_t i = begin; i < end; ++i) {
      const std::uint32_t stored = chunk.columns[i];
      const std::int32_t column = columns_.empty() ? static_cast<std::int32_t>(stored) : columns_[stored];
      if (column < 0) continue;
      chunk.columns[n_entries_] = static_cast<std::uint32_t>(column);
      values[n_entries_++] = values[i];
    }
  }
  std::vector<RowRange> rows_;
  std::vector<std::int32_t> columns_;  // new numbers, -1: left out; empty: all as they are
  std::size_t next_ = 0;
  std::int32_t n_entries_ = 0;
};

class FromTenx {
 public:
  FromTenx(Input& input, const OutputFile& to, const CarryOptions& options, MemoryBudget& budget)
      : input_(input), options_(options), budget_(budget), root_(root_group(to)) {}

  void run() {
    tag_element(root_.get(), "/", "anndata", "0.1.0");
    write_obs();
    write_var();
    if (options_.with_x) write_matrix(root_, "X");
    write_layers();
    add_to("obsm", options_.add_obsm);
    add_to("varm", options_.add_varm);
    for (const char* name : {"obsp", "varp"}) make_dict(root_, name).close();
    OutputGroup uns = make_dict(root_, "uns");
    if (options_.add_uns) options_.add_uns(uns, no_such_element);
    uns.close();
    root_.close();
  }

 private:
  static void no_such_element(const std::string& path, const OutputGroup&, const std::string&) {
    throw Error(ErrorKind::internal, "nothing-to-copy", path, "a 10x input has no such element");
  }
  void add_to(const std::string& name, const std::function<void(const OutputGroup&)>& add) {
    OutputGroup group = make_dict(root_, name);
    if (add) add(group);
    group.close();
  }
  void rest() const {
    if (options_.stop && *options_.stop) throw Interrupted();
  }

  void write_names(NameSource& names, const Selection& rows, const OutputGroup& to, const std::string& name) const {
    constexpr std::int64_t texts_at_once = 4096;
    TextDataset out = make_texts(to, name, rows.n_kept(names.size()));
    std::vector<std::string> texts;
    SelectedBatches batches(rows, names.size(), texts_at_once);
    for (SelectedBatch batch; batches.next(batch); rest())
      for (RowRange left = batch.read; left.size() > 0;) {
        read_some(names, left, texts);
        const SelectedBatch part = batch.within({left.first, left.first + static_cast<std::int64_t>(texts.size())});
        left.first = part.read.last;
        keep_values(texts, part);
        out.append(texts);
      }
    out.finish();
  }

  void write_flags(NameSource& texts, const Selection& rows, const OutputGroup& to, const std::string& name) const {
    NewColumn column{name, ColumnType::boolean, {}};
    std::vector<std::int8_t> flags;
    flags.reserve(static_cast<std::size_t>(texts.size()));
    const Claim claim = budget_.claim("arrays that are carried over", static_cast<std::size_t>(texts.size()));
    for (const RowRange& range : rows.ranges(texts.size()))
      for_each_name(texts, range, [&](const std::string& text, std::int64_t) { flags.push_back(text == "True" || text == "1"); });
    column.fill = [&flags](RowRange part, std::byte* out) {
      std::transform(flags.begin() + part.first, flags.begin() + part.last, out, [](std::int8_t flag) { return std::byte(flag); });
    };
    write_column(column, static_cast<std::int64_t>(flags.size()), to, budget_);
  }

  static void add_names(std::vector<std::string>& names, std::span<const NewColumn> added) {
    for (const NewColumn& column : added)
      if (std::find(names.begin(), names.end(), column.name) == names.end()) names.push_back(column.name);
  }
  static bool is_among(std::span<const NewColumn> added, const std::string& name) {
    return std::any_of(added.begin(), added.end(), [&](const NewColumn& column) { return column.name == name; });
  }

  void write_obs() {
    constexpr const char* flag = "filtered_barcodes";
    const FrameInfo& stored = input_.info().obs;
    const bool has_flag = input_.info().format == Format::tenx_v3 && find(stored, flag) != nullptr;
    std::vector<std::string> names;
    if (has_flag) names.emplace_back(flag);
    add_names(names, options_.obs);
    OutputGroup obs = make_frame(root_, "obs", "_index", names);
    const auto index = input_.row_names();
    write_names(*index, options_.cells, obs, "_index");
    if (has_flag && !is_among(options_.obs, flag)) write_flags(*input_.column(stored, flag), options_.cells, obs, flag);
    for (const NewColumn& column : options_.obs) write_column(column, options_.cells.n_kept(index->size()), obs, budget_);
    obs.close();
  }

  void write_var() {
    const std::vector<FeatureColumn> columns = var_columns(input_.features());
    std::vector<std::string> names;
    for (const FeatureColumn& column : columns) names.push_back(column.name);
    add_names(names, options_.var);
    OutputGroup var = make_frame(root_, "var", "_index", names);
    write_names(*input_.scanpy_names(budget_), options_.genes, var, "_index");
    for (const FeatureColumn& column : columns) {
      if (is_among(options_.var, column.name)) continue;
      const auto texts = input_.feature_column(column.stored);
      if (column.is_flag)
        write_flags(*texts, options_.genes, var, column.name);
      else
        write_names(*texts, options_.genes, var, column.name);
    }
    for (const NewColumn& column : options_.var) write_column(column, options_.genes.n_kept(input_.n_vars()), var, budget_);
    var.close();
  }

  void write_layers() {
    OutputGroup layers = make_dict(root_, "layers");
    if (options_.add_layers)
      options_.add_layers(layers, [this](const std::string&, const OutputGroup& to, const std::string& name) { write_matrix(to, name); });
    layers.close();
  }

  void write_matrix(const OutputGroup& to, const std::string& name) {
    const std::string type = scanpy_value_type(input_.info(), input_.matrix());
    if (stream_matrix(to, name, type)) return;
    done(H5Ldelete(to.get(), name.c_str(), H5P_DEFAULT), object_path(to.object(), name), "begin it again");
    stream_matrix(to, name, "float64");
  }

  // False, and the matrix given up, when it holds a whole number that 32-bit floats do not.
  bool stream_matrix(const OutputGroup& to, const std::string& name, const std::string& type) {
    const auto source = input_.source(budget_);
    MatrixOutOptions how;
    how.compression = options_.packing.value_or(Compression{Packing::gzip, 1, false});
    how.threads = options_.threads;
    how.stored_type = type;
    const MatrixShape all = source->shape();
    const Claim map = budget_.claim("what is kept", static_cast<std::size_t>(all.n_cols) * sizeof(std::int32_t) + options_.cells.bytes());
    Cutter cutter(options_.cells, all.n_rows, options_.genes.new_numbers(all.n_cols));
    MatrixOut out(to, name, {options_.cells.n_kept(all.n_rows), options_.genes.n_kept(all.n_cols), all.nnz}, how, budget_);
    SourceWalk walk(*source, budget_);
    std::vector<std::byte> values;
    for (; walk.next(); rest()) {
      ChunkBuffer& chunk = walk.chunk();
      const std::span<const std::int32_t> offsets(chunk.offsets, cutter.cut(chunk) + 1);
      const std::span<const double> plain(chunk.values_as<double>(), static_cast<std::size_t>(offsets.back()));
      if (type == "float32" && std::any_of(plain.begin(), plain.end(), is_whole_and_rounded)) {
        out.give_up();
        return false;
      }
      values.resize(plain.size() * out.value_type().size);
      encode_values(plain.data(), plain.size(), out.value_type(), values.data());
      out.append(offsets, {chunk.columns, plain.size()}, values);
    }
    out.finish();
    return true;
  }

  Input& input_;
  const CarryOptions& options_;
  MemoryBudget& budget_;
  OutputGroup root_;
};

}  // namespace

std::string scanpy_value_type(const FileInfo& info, const MatrixInfo& matrix) {
  const bool is_directory = info.format == Format::mtx_v2 || info.format == Format::mtx_v3;
  const bool narrow = is_directory || matrix.data.type == "float16" || (info.format != Format::h5ad && matrix.data.type == "int32");
  return narrow ? "float32" : matrix.data.type;
}

std::vector<Warning> carry_from_tenx(Input& input, const OutputFile& to, const CarryOptions& options, MemoryBudget& budget) {
  FromTenx(input, to, options, budget).run();
  return {};
}

}  // namespace quern::io
