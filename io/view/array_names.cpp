#include "io/view/array_names.hpp"

#include <algorithm>

#include "io/decode/stored_type.hpp"
#include "io/hdf5/column_data.hpp"
#include "io/hdf5/strings.hpp"
#include "io/names/text_limit.hpp"
#include "io/tables/field_text.hpp"
#include "io/view/number.hpp"

namespace quern::io {
namespace {

struct Complex {
  double real = 0, imaginary = 0;
};

std::string complex_text(Complex value) {
  std::string text = "(";
  append_number(text, value.real);
  if (!(value.imaginary < 0)) text += '+';
  append_number(text, value.imaginary);
  return text + "j)";
}

TypeHandle complex_type() {
  TypeHandle type(checked(H5Tcreate(H5T_COMPOUND, sizeof(Complex)), "", "make a complex type"));
  if (H5Tinsert(type.get(), "r", offsetof(Complex, real), H5T_NATIVE_DOUBLE) < 0 ||
      H5Tinsert(type.get(), "i", offsetof(Complex, imaginary), H5T_NATIVE_DOUBLE) < 0)
    throw hdf5_failure("", "make the fields of a complex type");
  return type;
}

bool is_complex(const ElementType& element) { return element.name.starts_with("complex"); }

// Reads the `count` elements of the box.
class TextReader {
 public:
  TextReader(const Dataset& dataset, Box box) : dataset_(dataset), box_(std::move(box)) {}

  void read(std::size_t count, std::vector<std::string>& out) {
    const ElementType& element = dataset_.element;
    out.assign(count, {});
    if (element.kind == TypeClass::string)
      strings(out);
    else if (element.kind == TypeClass::floating)
      values<double>(H5T_NATIVE_DOUBLE, out, [](double value, std::string& text) { append_number(text, value); });
    else if (element.is_number() && element.size <= 8)
      integers(out);
    else if (is_complex(element))
      values<Complex>(complex_type().get(), out, [](Complex value, std::string& text) { text = complex_text(value); });
    else
      throw input_error("bad-type", dataset_.path, element.name + " values cannot be shown");
  }

 private:
  void read_into(hid_t type, void* to, hid_t transfer = H5P_DEFAULT) const {
    read_values(dataset_, type, box_, transfer, to, dataset_.path);
  }

  template <class Value, class ToText>
  void values(hid_t type, std::vector<std::string>& out, ToText to_text) const {
    std::vector<Value> buffer(out.size());
    read_into(type, buffer.data());
    for (std::size_t i = 0; i < out.size(); ++i) to_text(buffer[i], out[i]);
  }

  void integers(std::vector<std::string>& out) const {
    const ElementType& element = dataset_.element;
    std::vector<std::byte> bytes(out.size() * element.size);
    read_into(dataset_.type.get(), bytes.data());
    const StoredType type{element.is_signed ? StoredKind::signed_integer : StoredKind::unsigned_integer,
                          static_cast<std::uint8_t>(element.size), element.big_endian};
    std::vector<Number> numbers(out.size());
    read_numbers(type, bytes.data(), numbers.size(), numbers.data());
    for (std::size_t i = 0; i < out.size(); ++i) append_number(out[i], number_kind(element.name), numbers[i]);
  }

  void strings(std::vector<std::string>& out) const {
    if (dataset_.element.variable_length) {
      StringArena arena(text_limit(out.size()));
      const PropertyHandle transfer = arena.transfer();
      std::vector<char*> pointers(out.size(), nullptr);
      try {
        read_into(dataset_.type.get(), pointers.data(), transfer.get());
      } catch (const Error&) {
        if (arena.refused()) throw_text_too_long(dataset_.path, out.size());
        throw;
      }
      std::transform(pointers.begin(), pointers.end(), out.begin(), variable_text);
      return;
    }
    const std::size_t size = dataset_.element.size;
    if (size > text_limit(out.size()) / out.size()) throw_text_too_long(dataset_.path, out.size());
    std::vector<char> bytes(out.size() * size);
    read_into(dataset_.type.get(), bytes.data());
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = fixed_text(bytes.data() + i * size, size, H5Tget_strpad(dataset_.type.get()));
  }

  const Dataset& dataset_;
  Box box_;
};

class ArrayColumn final : public NameSource {
 public:
  ArrayColumn(Dataset dataset, const std::vector<std::int64_t>& place) : dataset_(std::move(dataset)) {
    for (const std::int64_t number : place) place_.push_back(static_cast<hsize_t>(number));
  }
  std::int64_t size() const override { return dataset_.dims[0]; }

  void read(RowRange range, std::vector<std::string>& names) override {
    const hsize_t n = static_cast<hsize_t>(range.size());
    names.clear();
    if (n == 0) return;
    Box box{{static_cast<hsize_t>(range.first)}, {n}};
    box.start.insert(box.start.end(), place_.begin(), place_.end());
    box.count.resize(box.start.size(), 1);
    TextReader(dataset_, std::move(box)).read(n, names);
  }

 private:
  Dataset dataset_;
  std::vector<hsize_t> place_;
};

// Reads the whole field once: such files are small.
class FieldColumn final : public NameSource {
 public:
  FieldColumn(const Dataset& table, const std::string& field, std::size_t width, std::size_t place) {
    const hsize_t dims = width;
    const TypeHandle array(checked(H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &dims), table.path, "make an array type"));
    const TypeHandle record(checked(H5Tcreate(H5T_COMPOUND, width * sizeof(double)), table.path, "make a record type"));
    H5Tinsert(record.get(), field.c_str(), 0, array.get());
    const auto n = static_cast<std::size_t>(table.count());
    std::vector<double> all(n * width);
    if (n > 0) read_values(table, record.get(), {}, H5P_DEFAULT, all.data(), table.path);
    for (std::size_t row = 0; row < n; ++row) values_.push_back(all[row * width + place]);
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(values_.size()); }
  void read(RowRange range, std::vector<std::string>& names) override {
    names.assign(static_cast<std::size_t>(range.size()), {});
    for (std::size_t i = 0; i < names.size(); ++i) append_number(names[i], values_[static_cast<std::size_t>(range.first) + i]);
  }

 private:
  std::vector<double> values_;
};

class ShortestNumbers final : public NameSource {
 public:
  explicit ShortestNumbers(std::unique_ptr<NameSource> reals) : reals_(std::move(reals)) {}
  std::int64_t size() const override { return reals_->size(); }
  void read(RowRange range, std::vector<std::string>& names) override {
    reals_->read(range, names);
    for (std::string& name : names)
      if (name.ends_with(".0")) name.resize(name.size() - 2);
  }

 private:
  std::unique_ptr<NameSource> reals_;
};

class Numbered final : public NameSource {
 public:
  explicit Numbered(std::int64_t size) : size_(size) {}
  std::int64_t size() const override { return size_; }
  void read(RowRange range, std::vector<std::string>& names) override {
    names.resize(static_cast<std::size_t>(range.size()));
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = std::to_string(range.first + static_cast<std::int64_t>(i));
  }

 private:
  std::int64_t size_;
};

}  // namespace

std::unique_ptr<NameSource> open_array_column(const Hdf5File& file, const std::string& path, const std::vector<std::int64_t>& place) {
  return std::make_unique<ArrayColumn>(open_described(file, path), place);
}

std::size_t field_width(const Dataset& table, const std::string& field) {
  const int member = H5Tget_member_index(table.type.get(), field.c_str());
  if (table.dims.size() != 1) return 0;
  const TypeHandle type(H5Tget_member_type(table.type.get(), static_cast<unsigned>(member)));
  if (H5Tget_array_ndims(type.get()) != 1) return 0;  // less than 0: no array
  const TypeHandle base(H5Tget_super(type.get()));
  hsize_t width = 0;
  H5Tget_array_dims2(type.get(), &width);
  return element_type(base.get()).is_number() ? static_cast<std::size_t>(width) : 0;
}

std::unique_ptr<NameSource> open_field_column(const Hdf5File& file, const std::string& path, const std::string& field, std::size_t place) {
  const Dataset table = open_described(file, path);
  const std::size_t width = field_width(table, field);
  if (place >= width) throw input_error("bad-type", path, "the field " + field + " holds no such column of numbers");
  return std::make_unique<FieldColumn>(table, field, width, place);
}

std::string scalar_text(const Hdf5File& file, const std::string& path) {
  const Dataset dataset = open_described(file, path);
  if (dataset.is_null) return "null";
  std::vector<std::string> text;
  TextReader(dataset, {}).read(1, text);
  return text.front();
}

std::unique_ptr<NameSource> shortest_numbers(std::unique_ptr<NameSource> reals) {
  return std::make_unique<ShortestNumbers>(std::move(reals));
}

std::unique_ptr<NameSource> numbered(std::int64_t size) { return std::make_unique<Numbered>(size); }

}  // namespace quern::io
