// Columns of every form in their modern one.
#include <algorithm>
#include <array>
#include <limits>

#include "io/carry/copy_array.hpp"
#include "io/carry/copy_element.hpp"
#include "io/carry/copy_frame.hpp"
#include "io/carry/copy_text.hpp"
#include "io/carry/rows_out.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/hdf5/column_data.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t codes_at_once = 65536;

void tag_and_close(OutputDataset dataset, const char* type) {
  tag_element(dataset.get(), dataset.object(), type, "0.2.0");
  dataset.close();
}

OutputGroup make_tagged_group(const OutputGroup& to, const std::string& name, const std::string& type, const std::string& version) {
  OutputGroup group = make_group(to, name);
  tag_element(group.get(), group.object(), type, version);
  return group;
}

// A list of values: text, or an array as it is stored.
void copy_list(CarryContext& context, const Dataset& values, const std::string& name, const OutputGroup& to, const Selection& rows) {
  tag_and_close(copy_array(context, values, to, name, std::span(&rows, 1)), "array");
}

void copy_plain(CarryContext& context, const ColumnPlace& place, const std::string& name, const OutputGroup& to, const Selection& rows) {
  const Dataset values = open_described(context.from, place.values);
  if (values.element.kind == TypeClass::string) return copy_texts(context, *open_column(context.from, place), rows, to, name);
  copy_list(context, values, name, to, rows);
}

void copy_table_field(CarryContext& context, const ColumnPlace& place, const std::string& name, const OutputGroup& to,
                      const Selection& rows) {
  if (ColumnData(context.from, place.values, place.field).element().kind == TypeClass::string)
    return copy_texts(context, *open_column(context.from, place), rows, to, name);
  const Dataset table = open_described(context.from, place.values);
  tag_and_close(copy_field(context, table, place.field, to, name, rows), "array");
}

class CategoricalCopy {
 public:
  CategoricalCopy(CarryContext& context, const ColumnPlace& place, const Selection& rows)
      : context_(context),
        rows_(rows),
        codes_(context.from, place.values, place.field),
        categories_(find_categories(context.from, place)),
        n_categories_(categories_.values.count()) {}

  void write(const std::string& name, const OutputGroup& to, bool notes_categories) {
    const Selection kept = rows_.keeps_all() ? Selection() : used_categories();
    if (notes_categories) context_.categories.try_emplace(name, n_categories_, kept);
    OutputGroup group = make_tagged_group(to, name, "categorical", "0.2.0");
    write_bool_attribute(group.get(), group.object(), "ordered", categories_.ordered);
    write_codes(group, kept);
    write_categories(group, kept);
    group.close();
  }

 private:
  // Calls use(code) for every kept row; codes are -1 or below n_categories_.
  template <class Use>
  void for_each_code(Use use) {
    std::vector<std::int64_t> codes;
    SelectedBatches batches(rows_, codes_.size(), codes_at_once);
    for (SelectedBatch batch; batches.next(batch); context_.rest()) {
      codes_.read_integers(batch.read, codes);
      keep_values(codes, batch);
      for (const std::int64_t code : codes) refuse_bad_code(code, n_categories_, codes_.where());
      use(codes);
    }
  }

  Selection used_categories() {
    const Claim claim = context_.budget.claim("categories that are carried over", static_cast<std::size_t>(n_categories_));
    std::vector<std::uint8_t> used(static_cast<std::size_t>(n_categories_), 0);
    for_each_code([&](const std::vector<std::int64_t>& codes) {
      for (const std::int64_t code : codes)
        if (code >= 0) used[static_cast<std::size_t>(code)] = 1;
    });
    return Selection::of_flags(used);
  }

  void write_codes(const OutputGroup& group, const Selection& kept) {
    const std::int64_t n_kept = kept.n_kept(n_categories_);  // the type is pandas' choice for so many categories
    if (n_kept < std::numeric_limits<std::int8_t>::max()) return write_codes_as<std::int8_t>(group, kept);
    if (n_kept < std::numeric_limits<std::int16_t>::max()) return write_codes_as<std::int16_t>(group, kept);
    write_codes_as<std::int32_t>(group, kept);
  }

  template <class Code>
  void write_codes_as(const OutputGroup& group, const Selection& kept) {
    const std::int64_t n_rows = context_.survey ? 0 : rows_.n_kept(codes_.size());
    const Claim claim = context_.budget.claim("categories that are carried over",
                                              kept.keeps_all() ? 0 : static_cast<std::size_t>(n_categories_) * sizeof(std::int32_t));
    const std::vector<std::int32_t> numbers = kept.new_numbers(n_categories_);
    RowsOut out(group, "codes", file_type<Code>(), n_rows, {}, {}, context_.budget);
    std::vector<Code> written;
    context_.bytes += codes_.size() * static_cast<std::int64_t>(sizeof(Code));
    for_each_code([&](const std::vector<std::int64_t>& codes) {
      if (context_.survey) return;
      written.clear();
      for (const std::int64_t code : codes)
        written.push_back(static_cast<Code>(code < 0 || numbers.empty() ? code : numbers[static_cast<std::size_t>(code)]));
      out.append(std::as_bytes(std::span<const Code>(written)));
    });
    tag_and_close(out.finish(), "array");
  }

  void write_categories(const OutputGroup& group, const Selection& kept) {
    if (categories_.values.element.kind == TypeClass::string)
      return copy_texts(context_, *open_texts(context_.from, std::move(categories_.values)), kept, group, "categories");
    if (!categories_.values.dims.empty()) return copy_list(context_, categories_.values, "categories", group, kept);
    tag_and_close(copy_single(context_, categories_.values, group, "categories"), "array");
  }

  CarryContext& context_;
  const Selection& rows_;
  ColumnData codes_;
  Categories categories_;
  std::int64_t n_categories_;
};

bool any_missing(CarryContext& context, const std::string& mask) {
  ColumnData data(context.from, mask);
  std::vector<std::int64_t> missing;
  SelectedBatches batches(Selection(), data.size(), codes_at_once);
  for (SelectedBatch batch; batches.next(batch); context.rest()) {
    data.read_integers(batch.read, missing);
    if (std::any_of(missing.begin(), missing.end(), [](std::int64_t x) { return x != 0; })) return true;
  }
  return false;
}

// anndata before 0.11 and R's readers know no nullable text: what misses nothing is written as plain text.
void copy_nullable(CarryContext& context, const ColumnPlace& place, const std::string& name, const OutputGroup& to, const Selection& rows) {
  const bool is_text = place.encoding == "nullable-string-array";
  ColumnPlace plain;
  plain.values = place.values;
  if (is_text && !any_missing(context, place.mask)) return copy_texts(context, *open_column(context.from, plain), rows, to, name);
  OutputGroup group = make_tagged_group(to, name, place.encoding, "0.1.0");
  const std::string source = place.values.substr(0, place.values.rfind('/'));
  static constexpr std::array known{"encoding-type", "encoding-version"};
  copy_attributes(context, context.from.open(source).get(), source, group.get(), group.object(), known);
  if (is_text) context.warn("newer-readers-only", source + ": text with missing values, which anndata before 0.11 cannot read");
  copy_plain(context, plain, "values", group, rows);
  copy_list(context, open_described(context.from, place.mask), "mask", group, rows);
  group.close();
}

}  // namespace

void copy_column(CarryContext& context, const ColumnPlace& place, const std::string& name, const OutputGroup& to, const Selection& rows,
                 bool notes_categories) {
  switch (place.form) {
    case ColumnForm::plain:
      return copy_plain(context, place, name, to, rows);
    case ColumnForm::field:
      return copy_table_field(context, place, name, to, rows);
    case ColumnForm::categorical_field:
      context.used_categories.insert(place.categories.substr(place.categories.rfind('/') + 1));
      [[fallthrough]];
    case ColumnForm::categorical:
    case ColumnForm::categorical_reference:
      return CategoricalCopy(context, place, rows).write(name, to, notes_categories);
    case ColumnForm::nullable:
      return copy_nullable(context, place, name, to, rows);
    case ColumnForm::unknown:
      return copy_unknown(context, place.values, to, name, rows.keeps_all());
  }
}

}  // namespace quern::io
