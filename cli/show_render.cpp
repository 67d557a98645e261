#include "cli/show_render.hpp"

#include <algorithm>

#include "io/names/name_sources.hpp"
#include "io/tables/field_text.hpp"

namespace quern::cli {
namespace {

using io::Element;

constexpr std::int64_t names_at_once = 4096;

// The names of the chosen columns, with a mark where some are left out, after the word for the rows; claimed before they are read.
struct Header {
  std::vector<std::string> names;
  std::vector<Claim> claims;
};

Header column_header(const Element& element, const AxisChoice& columns, MemoryBudget& budget) {
  constexpr std::size_t column_bytes = 160;  // its name and kind, here and at the sinks; its field; its number
  Header header;
  const auto n = static_cast<std::size_t>(columns.size()) + 2;
  header.claims.push_back(budget.claim("names and text of a slice", n * column_bytes));
  header.names.reserve(n);
  header.names.push_back(element.rows.word);
  const auto source = element.kind == io::ElementKind::matrix ? io::open_axis(element.columns) : nullptr;
  std::vector<std::string> batch;
  for (std::size_t i = 0; i < columns.ranges.size(); ++i) {
    if (i == 1 && columns.has_gap) header.names.emplace_back(left_out);
    RowRange range = columns.ranges[i];
    if (!source)
      for (std::int64_t c = range.first; c < range.last; ++c) header.names.push_back(element.table[static_cast<std::size_t>(c)].name);
    for (; source && range.size() > 0; range.first += static_cast<std::int64_t>(batch.size())) {
      io::read_some(*source, {range.first, std::min(range.last, range.first + names_at_once)}, batch);
      const std::size_t text = io::bytes_of(batch) - batch.size() * sizeof(std::string);  // beyond the string itself
      if (text > 0) header.claims.push_back(budget.claim("names and text of a slice", 2 * text));
      std::move(batch.begin(), batch.end(), std::back_inserter(header.names));
    }
  }
  return header;
}

// The names of rows, read in batches.
class RowNames {
 public:
  explicit RowNames(const io::Axis& axis) : source_(io::open_axis(axis)) {}
  const std::string& at(std::int64_t row, std::int64_t last) {
    if (row < range_.first || row >= range_.last) {
      io::read_some(*source_, {row, std::min(last, row + names_at_once)}, names_);
      range_ = {row, row + static_cast<std::int64_t>(names_.size())};
    }
    return names_[static_cast<std::size_t>(row - range_.first)];
  }

 private:
  std::unique_ptr<NameSource> source_;
  RowRange range_;
  std::vector<std::string> names_;
};

bool starts_after_gap(const AxisChoice& rows, std::int64_t row) { return rows.has_gap && row == rows.ranges[1].first; }

std::string kind_name(io::NumberKind kind) {
  switch (kind) {
    case io::NumberKind::boolean:
      return "bool";
    case io::NumberKind::real:
      return "float64";
    case io::NumberKind::natural:
      return "uint64";
    case io::NumberKind::whole:
      break;
  }
  return "int64";
}

class DenseRows {
 public:
  DenseRows(const Element& element, const AxisChoice& columns, io::NumberKind kind, RowSink& sink, MemoryBudget& budget)
      : kind_(kind), sink_(sink), header_(column_header(element, columns, budget)) {
    for (std::size_t i = 0; i < columns.ranges.size(); ++i) {
      if (i == 1 && columns.has_gap) columns_.push_back(-1);
      for (std::int64_t c = columns.ranges[i].first; c < columns.ranges[i].last; ++c) columns_.push_back(c);
    }
    io::append_number(zero_, kind, io::Number{});
    sink.begin(header_.names, std::vector<std::string>(columns_.size(), kind_name(kind)));
    header_.names = {};
    fields_.resize(columns_.size() + 1);
  }

  void row(const std::string& name, const io::Entry* begin, const io::Entry* end) {
    fields_[0] = name;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      std::string& field = fields_[i + 1];
      if (begin != end && columns_[i] == begin->column) {
        field.clear();
        io::append_number(field, kind_, begin++->value);
      } else {
        field = columns_[i] < 0 ? left_out : zero_;
      }
    }
    sink_.row(fields_);
  }

 private:
  io::NumberKind kind_;
  RowSink& sink_;
  Header header_;
  std::vector<std::int64_t> columns_;  // -1: left out here
  std::string zero_;
  std::vector<std::string> fields_;
};

class TripletRows {
 public:
  TripletRows(const Element& element, const AxisChoice& columns, io::NumberKind kind, RowSink& sink, MemoryBudget& budget)
      : ranges_(columns.ranges), kind_(kind), sink_(sink), header_(column_header(element, {columns.ranges, false}, budget)) {
    sink.begin({element.rows.word, element.columns.word, "value"}, {"string", kind_name(kind)});
  }
  void row(const std::string& name, const io::Entry* begin, const io::Entry* end) {
    std::size_t range = 0, before = 1;
    for (; begin != end; ++begin) {
      for (; begin->column >= ranges_[range].last; ++range) before += static_cast<std::size_t>(ranges_[range].size());
      std::string value;
      io::append_number(value, kind_, begin->value);
      sink_.row({name, header_.names[before + static_cast<std::size_t>(begin->column - ranges_[range].first)], value});
    }
  }

 private:
  io::Ranges ranges_;
  io::NumberKind kind_;
  RowSink& sink_;
  Header header_;
};

template <class Rows>
void render_matrix(const Element& element, const ShowChoice& choice, MemoryBudget& budget, RowSink& sink) {
  Rows rows(element, choice.columns, io::number_kind(element.matrix.matrix.data.type), sink, budget);
  if (choice.rows.size() == 0) return sink.end();
  const auto blocks = io::read_matrix(element.matrix, choice.rows.ranges, choice.columns.ranges, budget);
  RowNames row_names(element.rows);
  io::MatrixBlock block;
  while (blocks->next(block)) {
    if (starts_after_gap(choice.rows, block.rows.first)) sink.gap();
    for (std::int64_t row = block.rows.first; row < block.rows.last; ++row) {
      const auto at = static_cast<std::size_t>(row - block.rows.first);
      rows.row(row_names.at(row, block.rows.last), block.entries.data() + block.offsets[at], block.entries.data() + block.offsets[at + 1]);
    }
  }
  sink.end();
}

void render_table(const Element& element, const ShowChoice& choice, MemoryBudget& budget, RowSink& sink) {
  std::vector<std::unique_ptr<NameSource>> columns;
  const Header named = column_header(element, choice.columns, budget);
  const std::vector<std::string>& header = named.names;
  std::vector<std::string> kinds;
  for (std::size_t i = 0; i < choice.columns.ranges.size(); ++i) {
    if (i == 1 && choice.columns.has_gap) {
      columns.push_back(nullptr);
      kinds.emplace_back("string");
    }
    for (std::int64_t c = choice.columns.ranges[i].first; c < choice.columns.ranges[i].last; ++c) {
      columns.push_back(element.table[static_cast<std::size_t>(c)].open());
      kinds.push_back(element.table[static_cast<std::size_t>(c)].kind);
    }
  }
  sink.begin(header, kinds);
  const std::int64_t step = std::clamp<std::int64_t>((1 << 18) / static_cast<std::int64_t>(header.size()), 16, names_at_once);
  const Claim claim = budget.claim("names and text of a slice", static_cast<std::size_t>(step) * header.size() * 64);
  RowNames row_names(element.rows);
  std::vector<std::vector<std::string>> values(columns.size());
  std::vector<std::string> fields(header.size());
  for (const RowRange& range : choice.rows.ranges) {
    if (starts_after_gap(choice.rows, range.first)) sink.gap();
    for (std::int64_t first = range.first; first < range.last; first += step) {
      const RowRange batch{first, std::min(range.last, first + step)};
      for (std::size_t c = 0; c < columns.size(); ++c)
        if (columns[c]) columns[c]->read(batch, values[c]);
      for (std::int64_t row = batch.first; row < batch.last; ++row) {
        fields[0] = row_names.at(row, batch.last);
        for (std::size_t c = 0; c < columns.size(); ++c)
          fields[c + 1] = columns[c] ? values[c][static_cast<std::size_t>(row - first)] : left_out;
        sink.row(fields);
      }
    }
  }
  sink.end();
}

}  // namespace

void render(const Element& element, const ShowChoice& choice, MemoryBudget& budget, RowSink& sink) {
  if (element.kind == io::ElementKind::table) return render_table(element, choice, budget, sink);
  if (choice.sparse) return render_matrix<TripletRows>(element, choice, budget, sink);
  render_matrix<DenseRows>(element, choice, budget, sink);
}

void read_names(const Element& element, const ShowChoice& choice) {
  const auto nothing = [](const std::string&, std::int64_t) {};
  if (element.kind == io::ElementKind::matrix) {
    const auto columns = io::open_axis(element.columns);
    for (const RowRange& range : choice.columns.ranges) io::for_each_name(*columns, range, nothing);
  }
  RowNames names(element.rows);
  for (const RowRange& range : choice.rows.ranges)
    for (std::int64_t row = range.first; row < range.last; row += names_at_once) names.at(row, range.last);
}

}  // namespace quern::cli
