#include "io/h5ad/labels.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "io/h5ad/column.hpp"
#include "io/hdf5/column_data.hpp"
#include "io/names/name_sources.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t rows_at_once = 65536, most_levels = std::numeric_limits<std::int32_t>::max();

template <class Use>
void for_each_integer(ColumnData& data, Use use) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t first = 0; first < data.size(); first += rows_at_once) {
    data.read_integers({first, std::min(first + rows_at_once, data.size())}, numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) use(numbers[i], static_cast<std::size_t>(first) + i);
  }
}

void make_room(Labels& labels, std::int64_t n_rows, MemoryBudget& budget) {
  labels.claims.push_back(budget.claim("labels of the cells", static_cast<std::size_t>(n_rows) * sizeof(std::int32_t)));
  labels.levels_of.assign(static_cast<std::size_t>(n_rows), -1);
}

Labels of_categorical(const Hdf5File& file, const ColumnPlace& place, MemoryBudget& budget) {
  Labels labels;
  KeptText levels = read_whole_column(open_texts(file, find_categories(file, place).values), most_levels, &budget);
  labels.levels = std::move(levels.texts);
  labels.claims = std::move(levels.claims);
  ColumnData codes(file, place.values, place.field);
  make_room(labels, codes.size(), budget);
  const auto n_levels = static_cast<std::int64_t>(labels.levels.size());
  for_each_integer(codes, [&](std::int64_t code, std::size_t row) {
    refuse_bad_code(code, n_levels, codes.where());
    labels.levels_of[row] = static_cast<std::int32_t>(code);
  });
  return labels;
}

// The levels found so far, numbered as they come.
class Levels {
 public:
  explicit Levels(MemoryBudget& budget) : budget_(budget) {}
  std::int32_t number(const std::string& text) {
    const auto [place, is_new] = numbers_.try_emplace(text, static_cast<std::int32_t>(numbers_.size()));
    if (is_new) claim(bytes_of(text) * 2 + 64);
    return place->second;
  }
  // Sorts the levels; numbers given so far become their places.
  void finish(Labels& labels) {
    labels.levels.resize(numbers_.size());
    for (const auto& [text, number] : numbers_) labels.levels[static_cast<std::size_t>(number)] = text;
    std::vector<std::int32_t> order(numbers_.size()), place(numbers_.size());
    std::iota(order.begin(), order.end(), 0);
    const auto level = [&](std::int32_t i) -> std::string& { return labels.levels[static_cast<std::size_t>(i)]; };
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return level(a) < level(b); });
    std::vector<std::string> sorted;
    sorted.reserve(order.size());
    for (const std::int32_t i : order) {
      place[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(sorted.size());
      sorted.push_back(std::move(level(i)));
    }
    labels.levels = std::move(sorted);
    for (std::int32_t& of : labels.levels_of)
      if (of >= 0) of = place[static_cast<std::size_t>(of)];
    for (Claim& claim : claims_) labels.claims.push_back(std::move(claim));
  }

 private:
  void claim(std::size_t bytes) {
    constexpr std::size_t step = std::size_t{1} << 16;
    if (bytes > left_) {
      const std::size_t more = std::max(step, bytes);
      claims_.push_back(budget_.claim("labels of the cells", more));
      left_ += more;
    }
    left_ -= bytes;
  }
  MemoryBudget& budget_;
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<Claim> claims_;
  std::size_t left_ = 0;
};

Labels of_texts(const Hdf5File& file, const ColumnPlace& place, MemoryBudget& budget) {
  Labels labels;
  const auto texts = open_column(file, place);
  make_room(labels, texts->size(), budget);
  std::vector<std::uint8_t> missing;
  if (place.form == ColumnForm::nullable) {
    missing.resize(labels.levels_of.size());
    ColumnData mask(file, place.mask);
    for_each_integer(mask, [&](std::int64_t is_missing, std::size_t row) { missing[row] = is_missing != 0; });
  }
  Levels levels(budget);
  for_each_name(*texts, [&](const std::string& text, std::int64_t row) {
    const auto at = static_cast<std::size_t>(row);
    if (missing.empty() || missing[at] == 0) labels.levels_of[at] = levels.number(text);
  });
  levels.finish(labels);
  return labels;
}

}  // namespace

Labels read_labels(const Hdf5File& file, const std::string& frame, const std::string& column, MemoryBudget& budget) {
  const ColumnPlace place = find_column(file, frame, column);
  const bool is_categorical = place.form == ColumnForm::categorical || place.form == ColumnForm::categorical_reference ||
                              place.form == ColumnForm::categorical_field;
  return is_categorical ? of_categorical(file, place, budget) : of_texts(file, place, budget);
}

}  // namespace quern::io
