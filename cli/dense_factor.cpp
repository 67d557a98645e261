#include "cli/dense_factor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/factor_table.hpp"
#include "host/core/error.hpp"
#include "io/npy/npy_reader.hpp"

namespace quern::cli {

// Fills a factor; each function one kind of file.
class FactorReader {
 public:
  FactorReader(const std::string& path, const std::string& option, const FactorRows& rows, MemoryBudget& budget)
      : path_(path), option_(option), rows_(rows), budget_(budget) {}

  DenseFactor read_npy() {
    io::NpyReader file(path_);
    if (file.n_rows() != rows_.n_chosen())
      throw usage_error("bad-factor", option_,
                        fmt::format("{} has {} rows; the matrix has {} {}s{}", path_, file.n_rows(), rows_.n_chosen(), rows_.what,
                                    rows_.chosen.empty() ? "" : " that were chosen"),
                        "its rows are taken by position; a table (.tsv) is matched by name");
    make_room(file.n_cols(), file.header().type);
    for (std::int64_t column = 1; column <= factor_.n_cols_; ++column) factor_.column_names_.push_back(fmt::format("column_{}", column));
    const std::int64_t at_once = std::max<std::int64_t>(1, piece_values / factor_.n_cols_);
    const Claim claim = budget_.claim("dense factor", static_cast<std::size_t>(at_once * factor_.n_cols_) * sizeof(double));
    std::vector<double> piece;
    for (std::int64_t first = 0; first < factor_.n_rows_; first += at_once) {
      const RowRange range{first, std::min(factor_.n_rows_, first + at_once)};
      piece.resize(static_cast<std::size_t>(range.size() * factor_.n_cols_));
      file.read(range, piece);
      put(first * factor_.n_cols_, piece);
    }
    return std::move(factor_);
  }

  DenseFactor read_table() {
    FactorTable table(path_, option_, rows_, budget_);
    make_room(static_cast<std::int64_t>(table.column_names().size()), ValueType::f64);
    factor_.column_names_ = table.column_names();
    factor_.has_names_ = true;
    std::vector<double> values(factor_.column_names_.size());
    for (std::int64_t row = 0; table.next(values, row);)
      if (row >= 0) put(row * factor_.n_cols_, values);
    table.refuse_missing();
    return std::move(factor_);
  }

 private:
  static constexpr std::int64_t piece_values = 1 << 16;

  void make_room(std::int64_t n_cols, ValueType type) {
    if (n_cols < 1 || n_cols > most_product_columns)
      throw usage_error("bad-factor", option_,
                        fmt::format("{} has {} columns; 1 to {} can be multiplied with at once", path_, n_cols, most_product_columns));
    factor_.type_ = type;
    factor_.n_rows_ = rows_.n_chosen();
    factor_.n_cols_ = n_cols;
    const auto n_values = static_cast<std::size_t>(factor_.n_rows_ * n_cols);
    factor_.block_ = HostBlock(pageable_memory(), budget_.claim("dense factor", n_values * size_of(type) + product_slack_bytes));
  }
  void put(std::int64_t first, std::span<const double> values) {
    factor_.n_not_finite_ += std::count_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); });
    if (factor_.type_ == ValueType::f32)
      std::transform(values.begin(), values.end(), reinterpret_cast<float*>(factor_.block_.data()) + first,
                     [](double value) { return static_cast<float>(value); });
    else
      std::copy(values.begin(), values.end(), reinterpret_cast<double*>(factor_.block_.data()) + first);
  }

  const std::string &path_, &option_;
  const FactorRows& rows_;
  MemoryBudget& budget_;
  DenseFactor factor_;
};

std::int64_t FactorRows::n_chosen() const { return chosen.empty() ? size : std::count(chosen.begin(), chosen.end(), 1); }

DenseView DenseFactor::view() const { return {block_.data(), type_, n_rows_, static_cast<std::int32_t>(n_cols_)}; }

DenseFactor DenseFactor::read(const std::string& path, const std::string& option, const FactorRows& rows, MemoryBudget& budget) {
  FactorReader reader(path, option, rows, budget);
  if (path.ends_with(".npy")) return reader.read_npy();
  if (path.ends_with(".tsv") || path.ends_with(".tsv.gz")) return reader.read_table();
  throw usage_error("unknown-extension", option, "'" + path + "' ends in neither .npy nor .tsv nor .tsv.gz");
}

}  // namespace quern::cli
