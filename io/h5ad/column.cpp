#include "io/h5ad/column.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "io/hdf5/attributes.hpp"
#include "io/hdf5/column_data.hpp"
#include "io/names/text_limit.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t most_categories_shown = 1000, codes_examined = 65536;

std::string tag_of(const Hdf5File& file, const std::string& object) {
  return string_attribute(file.open(object).get(), "encoding-type", object).value_or("");
}

ColumnPlace in_group(const Hdf5File& file, const std::string& path) {
  ColumnPlace place;
  place.encoding = tag_of(file, path);
  if (place.encoding == "categorical") {
    place.form = ColumnForm::categorical;
    place.values = join_path(path, "codes");
    place.categories = join_path(path, "categories");
  } else if (place.encoding.rfind("nullable-", 0) == 0) {
    place.form = ColumnForm::nullable;
    place.values = join_path(path, "values");
    place.mask = join_path(path, "mask");
  } else {
    place.form = ColumnForm::unknown;
    place.values = path;
  }
  return place;
}

// anndata <= 0.6: codes of obs and var are categorical when uns names their categories and every code is -1 or one of theirs.
bool codes_fit(const Hdf5File& file, const std::string& frame, const std::string& field, const std::string& categories) {
  ColumnData codes(file, frame, field);
  if (codes.element().kind != TypeClass::integer) return false;
  const std::int64_t n_categories = ColumnData(file, categories).size();
  std::vector<std::int64_t> values;
  codes.read_integers({0, std::min(codes.size(), codes_examined)}, values);
  return std::all_of(values.begin(), values.end(), [&](std::int64_t code) { return code >= -1 && code < n_categories; });
}

ColumnPlace in_table(const Hdf5File& file, const std::string& frame, const std::string& field) {
  ColumnPlace place;
  place.form = ColumnForm::field;
  place.values = frame;
  place.field = field;
  const std::string categories = "/uns/" + field + "_categories";
  const bool has_categories = frame == "/obs" || frame == "/var";  // those of raw.var are not kept in uns
  if (has_categories && file.is_dataset(categories) && codes_fit(file, frame, field, categories)) {
    place.form = ColumnForm::categorical_field;
    place.categories = categories;
  }
  return place;
}

bool is_categorical(ColumnForm form) {
  return form == ColumnForm::categorical || form == ColumnForm::categorical_reference || form == ColumnForm::categorical_field;
}

class PlainColumn final : public NameSource {
 public:
  explicit PlainColumn(ColumnData values) : values_(std::move(values)) {}
  std::int64_t size() const override { return values_.size(); }
  void read(RowRange range, std::vector<std::string>& names) override { values_.read_text(range, names); }
  bool may_crash() const override { return values_.uses_hdf5(); }

 private:
  ColumnData values_;
};

class NullableColumn final : public NameSource {
 public:
  NullableColumn(ColumnData values, ColumnData mask) : values_(std::move(values)), mask_(std::move(mask)) {
    if (values_.size() != mask_.size()) throw input_error("bad-shape", mask_.where(), "as long as the values was expected");
  }
  std::int64_t size() const override { return values_.size(); }
  void read(RowRange range, std::vector<std::string>& names) override {
    values_.read_text(range, names);
    mask_.read_integers(range, missing_);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (missing_[i] != 0) names[i].clear();
  }

 private:
  ColumnData values_, mask_;
  std::vector<std::int64_t> missing_;
};

class CategoricalColumn final : public NameSource {
 public:
  CategoricalColumn(ColumnData codes, KeptText labels) : codes_(std::move(codes)), labels_(std::move(labels)) {}
  std::int64_t size() const override { return codes_.size(); }
  void read(RowRange range, std::vector<std::string>& names) override {
    codes_.read_integers(range, numbers_);
    names.resize(numbers_.size());
    TextLimit limit(codes_.where(), names.size());
    const std::vector<std::string>& labels = labels_.texts;
    for (std::size_t i = 0; i < names.size(); ++i) {
      refuse_bad_code(numbers_[i], static_cast<std::int64_t>(labels.size()), codes_.where());
      names[i].clear();
      if (numbers_[i] < 0) continue;
      const std::string& label = labels[static_cast<std::size_t>(numbers_[i])];
      limit.add(label.size());
      names[i] = label;
    }
  }

 private:
  ColumnData codes_;
  KeptText labels_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

void refuse_bad_code(std::int64_t code, std::int64_t n_categories, const std::string& where) {
  if (code >= -1 && code < n_categories) return;
  throw input_error("bad-categories", where, "code " + std::to_string(code) + " of " + std::to_string(n_categories) + " categories");
}

ColumnPlace find_column(const Hdf5File& file, const std::string& frame, const std::string& column) {
  if (file.is_dataset(frame)) return in_table(file, frame, column);
  const std::string path = join_path(frame, column);
  if (file.is_group(path)) return in_group(file, path);
  ColumnPlace place;
  place.values = path;
  const DatasetHandle dataset = file.open_dataset(path);
  place.encoding = string_attribute(dataset.get(), "encoding-type", path).value_or("");
  if (has_attribute(dataset.get(), "categories", path)) place.form = ColumnForm::categorical_reference;
  return place;
}

Categories find_categories(const Hdf5File& file, const ColumnPlace& place) {
  if (place.form == ColumnForm::categorical_field) return {open_described(file, place.categories), false};
  const ObjectHandle holder =
      file.open(place.form == ColumnForm::categorical ? place.values.substr(0, place.values.rfind('/')) : place.values);
  if (place.form == ColumnForm::categorical) return {open_described(file, place.categories), flag_attribute(holder.get(), "ordered")};
  const std::string where = place.values + " (categories)";
  Dataset target = describe(file.open_reference(reference_attribute(holder.get(), "categories", place.values).value_or(0), where), where);
  const bool ordered = flag_attribute(target.id.get(), "ordered");
  return {std::move(target), ordered};
}

std::unique_ptr<NameSource> open_texts(const Hdf5File& file, Dataset dataset) {
  return std::make_unique<PlainColumn>(ColumnData(file, std::move(dataset)));
}

ColumnInfo describe_column(const Hdf5File& file, const ColumnPlace& place, const std::string& name) {
  ColumnInfo out;
  out.name = name;
  if (is_categorical(place.form)) {
    Categories found = find_categories(file, place);
    ColumnData categories(file, std::move(found.values));
    out.kind = "categorical";
    out.ordered = found.ordered;
    out.n_categories = categories.size();
    out.categories = read_whole_column(std::make_unique<PlainColumn>(std::move(categories)), most_categories_shown, nullptr).texts;
  } else if (place.form == ColumnForm::nullable) {
    out.kind = place.encoding == "nullable-integer"        ? "nullable-int"
               : place.encoding == "nullable-boolean"      ? "nullable-bool"
               : place.encoding == "nullable-string-array" ? "nullable-string"
                                                           : place.encoding;
  } else if (place.form == ColumnForm::unknown) {
    out.kind = "other:" + place.encoding;
  } else {
    out.kind = ColumnData(file, place.values, place.field).element().name;
  }
  return out;
}

std::int64_t column_size(const Hdf5File& file, const ColumnPlace& place) {
  if (place.form == ColumnForm::unknown)
    throw input_error("unknown-encoding", place.values, "the encoding '" + place.encoding + "' is not known");
  return ColumnData(file, place.values, place.field).size();
}

std::unique_ptr<NameSource> open_column(const Hdf5File& file, const ColumnPlace& place) {
  if (place.form == ColumnForm::unknown)
    throw input_error("unknown-encoding", place.values, "the encoding '" + place.encoding + "' is not known");
  ColumnData values(file, place.values, place.field);
  if (is_categorical(place.form)) {
    auto labels = std::make_unique<PlainColumn>(ColumnData(file, find_categories(file, place).values));
    return std::make_unique<CategoricalColumn>(
        std::move(values), read_whole_column(std::move(labels), std::numeric_limits<std::int64_t>::max(), file.budget()));
  }
  if (place.form == ColumnForm::nullable) return std::make_unique<NullableColumn>(std::move(values), ColumnData(file, place.mask));
  return std::make_unique<PlainColumn>(std::move(values));
}

}  // namespace quern::io
