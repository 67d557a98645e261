#include "cli/commands/info_report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace quern::cli {
namespace {

using io::StoredArray;

Json chunk_or_null(const StoredArray& array) { return array.chunk.empty() ? Json(nullptr) : Json(array.chunk); }
Json type_or_null(const StoredArray& array) { return array.type.empty() ? Json(nullptr) : Json(array.type); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json array_json(const StoredArray& array) {
  return {{"path", array.path},
          {"type", array.type},
          {"big_endian", array.big_endian},
          {"shape", array.dims},
          {"chunk", chunk_or_null(array)},
          {"filters", array.filters},
          {"bytes_on_disk", array.bytes_on_disk}};
}

std::int64_t bytes_on_disk(const io::MatrixInfo& matrix) {
  return matrix.data.bytes_on_disk + matrix.indices.bytes_on_disk + matrix.indptr.bytes_on_disk;
}

// From the name of the type; texts become doubles with 32-bit indices.
std::int64_t element_bytes(const std::string& type) {
  const std::size_t digits = type.find_first_of("0123456789");
  if (digits != std::string::npos) return std::stoll(type.substr(digits)) / 8;
  return type == "bool" ? 1 : 8;
}

Json matrix_json(const io::MatrixInfo& matrix) {
  Json out = {{"name", matrix.name},
              {"storage", storage_name(matrix.storage)},
              {"rows", matrix.rows},
              {"cols", matrix.cols},
              {"nnz", matrix.nnz < 0 ? Json(nullptr) : Json(matrix.nnz)},
              {"value_type", matrix.data.type},
              {"index_type", type_or_null(matrix.indices)},
              {"indptr_type", type_or_null(matrix.indptr)},
              {"chunk", chunk_or_null(matrix.data)},
              {"filters", matrix.data.filters},
              {"bytes_on_disk", bytes_on_disk(matrix)},
              {"bytes_in_memory", bytes_in_memory(matrix)},
              {"arrays", {{"data", array_json(matrix.data)}}}};
  if (!matrix.indptr.path.empty()) {
    out["arrays"]["indices"] = array_json(matrix.indices);
    out["arrays"]["indptr"] = array_json(matrix.indptr);
  }
  return out;
}

Json column_json(const io::ColumnInfo& column) {
  Json out = {{"name", column.name}, {"kind", column.kind}, {"categories", nullptr}, {"ordered", nullptr}};
  if (column.kind != "categorical") return out;
  out["categories"] = column.categories;
  out["n_categories"] = column.n_categories;
  out["ordered"] = column.ordered;
  return out;
}

Json frame_json(const io::FrameInfo& frame) {
  Json columns = Json::array();
  for (const io::ColumnInfo& column : frame.columns) columns.push_back(column_json(column));
  return {{"index", text_or_null(frame.index)}, {"size", frame.size}, {"columns", columns}};
}

// 1234567 -> "1,234,567"
std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3 && digits[at - 4] != '-'; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string size_text(std::int64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes);
  const char* const units[] = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (size /= 1024; size >= 1024 && unit < 3; ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string shape_text(std::int64_t rows, std::int64_t cols) { return grouped(rows) + " x " + grouped(cols); }

bool is_text(const io::MatrixInfo& matrix) { return matrix.storage != io::Storage::dense && matrix.indptr.path.empty(); }

std::string layout_text(const io::MatrixInfo& matrix) {
  const StoredArray& array = matrix.data;
  std::string text;
  for (const std::int64_t length : array.chunk) text += (text.empty() ? "chunk " : " x ") + grouped(length);
  if (array.chunk.empty()) text = is_text(matrix) ? "text" : array.filters.empty() ? "contiguous" : "";
  for (const std::string& filter : array.filters) text += (text.empty() ? "" : " ") + filter;
  return text;
}

std::string types_text(const io::MatrixInfo& matrix) {
  std::string text = matrix.data.type + (matrix.data.big_endian ? " (big-endian)" : "");
  if (matrix.indptr.path.empty()) return text;
  return text + ", " + matrix.indices.type + ", " + matrix.indptr.type;
}

std::string stored_text(const io::MatrixInfo& matrix) {
  if (matrix.nnz < 0) return "all";
  const double cells = static_cast<double>(matrix.rows) * static_cast<double>(matrix.cols);
  if (cells == 0) return "0 stored";
  const double percent = 100 * static_cast<double>(matrix.nnz) / cells;
  return fmt::format("{} stored ({} %)", grouped(matrix.nnz),
                     percent < 10 ? fmt::format("{:.2g}", percent) : fmt::format("{:.0f}", percent));
}

// Cells of each line padded to columns, two spaces apart, indented.
std::string aligned(const std::vector<std::vector<std::string>>& table) {
  std::vector<std::size_t> widths;
  for (const auto& line : table) {
    widths.resize(std::max(widths.size(), line.size()), 0);
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : table) {
    std::string row = " ";
    for (std::size_t i = 0; i < line.size(); ++i) row += fmt::format(" {:<{}}", line[i], i + 1 < line.size() ? widths[i] + 1 : 0);
    row.erase(row.find_last_not_of(' ') + 1);
    text += row + "\n";
  }
  return text;
}

std::string matrices_text(const io::FileInfo& info) {
  std::vector<std::vector<std::string>> table;
  for (const io::MatrixInfo& m : info.matrices)
    table.push_back({m.name, storage_name(m.storage), shape_text(m.rows, m.cols), stored_text(m), types_text(m), layout_text(m),
                     size_text(bytes_on_disk(m)) + " on disk, " + size_text(bytes_in_memory(m)) + " in memory"});
  return table.empty() ? "matrices: none\n" : "matrices\n" + aligned(table);
}

std::string categories_text(const io::ColumnInfo& column) {
  constexpr std::size_t most_shown = 8, most_letters = 90;
  std::string text;
  std::size_t shown = 0;
  for (; shown < column.categories.size() && shown < most_shown; ++shown) {
    if (text.size() + column.categories[shown].size() > most_letters) break;
    text += (shown == 0 ? "" : ", ") + column.categories[shown];
  }
  if (static_cast<std::int64_t>(shown) < column.n_categories) text += shown == 0 ? "..." : ", ...";
  return fmt::format("{}{}: {}", grouped(column.n_categories), column.ordered ? ", ordered" : "", text);
}

std::string frame_text(const std::string& title, const io::FrameInfo& frame) {
  std::string text =
      fmt::format("{} ({}, index {})\n", title, grouped(frame.size), frame.index.empty() ? "by position" : "'" + frame.index + "'");
  std::vector<std::vector<std::string>> table;
  for (const io::ColumnInfo& column : frame.columns)
    table.push_back({column.name, column.kind, column.kind == "categorical" ? categories_text(column) : ""});
  return text + aligned(table);
}

std::string keys_text(const io::FileInfo& info) {
  std::string text;
  for (const auto& [group, names] : info.keys) {
    if (names.empty()) continue;
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    text += group + ": " + list + "\n";
  }
  return text;
}

}  // namespace

std::int64_t bytes_in_memory(const io::MatrixInfo& matrix) {
  const std::int64_t value_bytes = element_bytes(matrix.data.type);
  if (matrix.storage == io::Storage::dense) return matrix.rows * matrix.cols * value_bytes;
  const std::int64_t index_bytes = matrix.indptr.path.empty() ? 4 : element_bytes(matrix.indices.type);
  const std::int64_t pointer_bytes = matrix.indptr.path.empty() ? 4 : element_bytes(matrix.indptr.type);
  const std::int64_t major = matrix.storage == io::Storage::csr ? matrix.rows : matrix.cols;
  return matrix.nnz * (value_bytes + index_bytes) + (major + 1) * pointer_bytes;
}

Json info_result(const io::FileInfo& info) {
  Json out = {{"format", format_name(info.format)},
              {"generation", text_or_null(info.generation)},
              {"writer", text_or_null(info.writer)},
              {"bytes", info.bytes},
              {"n_obs", info.n_obs},
              {"n_vars", info.n_vars},
              {"matrices", Json::array()},
              {"obs", frame_json(info.obs)},
              {"var", frame_json(info.var)},
              {"raw_var", info.has_raw ? frame_json(info.raw_var) : Json(nullptr)},
              {"keys", Json::object()},
              {"problems", Json::array()}};
  for (const io::MatrixInfo& matrix : info.matrices) out["matrices"].push_back(matrix_json(matrix));
  for (const auto& [group, names] : info.keys) out["keys"][group] = names;
  for (const io::Problem& problem : info.problems)
    out["problems"].push_back({{"object", problem.object}, {"code", problem.code}, {"text", problem.text}});
  return out;
}

std::string info_text(const io::FileInfo& info) {
  std::string kind = format_name(info.format);
  if (!info.generation.empty()) kind += ", " + info.generation;
  if (!info.writer.empty()) kind += ", written by " + info.writer;
  std::string text =
      fmt::format("{}\n{}, {} cells x {} genes, {}\n", info.path, kind, grouped(info.n_obs), grouped(info.n_vars), size_text(info.bytes));
  text += matrices_text(info) + frame_text("obs", info.obs) + frame_text("var", info.var);
  if (info.has_raw) text += frame_text("raw.var", info.raw_var);
  text += keys_text(info);
  for (const io::Problem& problem : info.problems)
    text += fmt::format("problem: {}: {} ({})\n", problem.object, problem.text, problem.code);
  return text;
}

}  // namespace quern::cli
