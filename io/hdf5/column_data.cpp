#include "io/hdf5/column_data.hpp"

#include <algorithm>
#include <utility>

#include "io/hdf5/strings.hpp"
#include "io/names/name_sources.hpp"
#include "io/names/number_text.hpp"
#include "io/names/text_limit.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t default_cache_bytes = std::int64_t{1} << 20, most_cache_bytes = std::int64_t{1} << 25;
constexpr std::int64_t most_chunk_bytes = std::int64_t{1} << 40;  // of HDF5: 4 GiB
constexpr std::int64_t batch_bytes = std::int64_t{1} << 20;       // of fixed-length strings read at once
constexpr std::size_t longest_string = std::size_t{1} << 20;

// HDF5 decodes a chunk as a whole, whatever the shape of the dataset.
void refuse_claim(const Dataset& dataset, std::int64_t chunk_bytes) {
  constexpr std::int64_t harmless = std::int64_t{1} << 26;
  const std::int64_t held = dataset.count() * static_cast<std::int64_t>(dataset.element.size);
  if (chunk_bytes > harmless && chunk_bytes / 4 > held)
    throw input_error(
        "bad-shape", dataset.path,
        "is stored in chunks of " + std::to_string(chunk_bytes >> 20) + " MiB for " + std::to_string(dataset.count()) + " values");
}

// Ranges are read in order: a stored chunk that HDF5's cache cannot hold would be decoded anew for each of them.
Dataset open_with_cache(const Hdf5File& file, const std::string& path) {
  Dataset dataset = open_described(file, path);
  const auto chunk = chunk_dims(dataset.id.get());
  const std::int64_t element_bytes = std::min<std::int64_t>(static_cast<std::int64_t>(dataset.element.size), most_cache_bytes);
  if (chunk.size() != 1 || element_bytes == 0) return dataset;
  if (chunk[0] > most_cache_bytes / element_bytes) return dataset;
  if (chunk[0] * element_bytes <= default_cache_bytes) return dataset;
  return describe(file.open_dataset(path, static_cast<std::size_t>(chunk[0] * element_bytes)), path);
}

std::uint64_t assemble(const char* bytes, std::size_t size, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[big_endian ? i : size - 1 - i]);
  return value;
}

std::int64_t integer_at(const char* bytes, const ElementType& type) {
  std::uint64_t value = assemble(bytes, type.size, type.big_endian);
  if (type.is_signed && type.size < 8 && (value >> (8 * type.size - 1) & 1) != 0) value |= ~std::uint64_t{0} << (8 * type.size);
  return static_cast<std::int64_t>(value);
}

std::string integer_text(const char* bytes, const ElementType& type) {
  const std::int64_t value = integer_at(bytes, type);
  if (type.kind == TypeClass::boolean) return value != 0 ? "True" : "False";
  return type.is_signed ? std::to_string(value) : std::to_string(static_cast<std::uint64_t>(value));
}

}  // namespace

ColumnData::ColumnData(const Hdf5File& file, const std::string& path, const std::string& field)
    : ColumnData(file, open_with_cache(file, path), field) {}

ColumnData::ColumnData(const Hdf5File& file, Dataset dataset, const std::string& field) : dataset_(std::move(dataset)), field_(field) {
  where_ = field.empty() ? dataset_.path : dataset_.path + " (field " + field + ")";
  if (dataset_.dims.size() > 1)
    throw input_error("bad-shape", where_, "expected a list of values, found " + std::to_string(dataset_.dims.size()) + " dimensions");
  size_ = dataset_.count();  // a scalar counts as a list of one
  if (field.empty()) {
    value_type_ = TypeHandle(checked(H5Tcopy(dataset_.type.get()), where_, "copy the type"));
  } else {
    const int member = H5Tget_member_index(dataset_.type.get(), field.c_str());
    if (member < 0) throw input_error("missing-object", where_, "the table has no such field");
    value_type_ =
        TypeHandle(checked(H5Tget_member_type(dataset_.type.get(), static_cast<unsigned>(member)), where_, "read the field's type"));
  }
  element_ = element_type(value_type_.get());
  const std::size_t most_bytes = element_.kind == TypeClass::string ? longest_string : 16;
  if (element_.is_number() || element_.kind == TypeClass::string)
    if (element_.size == 0 || element_.size > most_bytes || (element_.kind == TypeClass::integer && element_.size > 8))
      throw input_error("bad-type", where_, element_.name + " values of " + std::to_string(element_.size) + " bytes");
  const auto chunk = chunk_dims(dataset_.id.get());
  if (const auto bytes = static_cast<std::int64_t>(std::min<std::size_t>(dataset_.element.size, most_cache_bytes));
      chunk.size() == 1 && bytes > 0)
    refuse_claim(dataset_, std::min(chunk[0], most_chunk_bytes / bytes) * bytes);
  if (field.empty()) heap_strings_ = HeapStrings::open(file, dataset_);
}

void ColumnData::check_range(RowRange range) const {
  if (range.first < 0 || range.last > size_) throw Error(ErrorKind::internal, "bad-range", where_, "rows outside of the column");
}

void ColumnData::read(RowRange range, hid_t memory_type, void* to, hid_t transfer) {
  check_range(range);
  TypeHandle record;
  if (!field_.empty()) {
    record = TypeHandle(checked(H5Tcreate(H5T_COMPOUND, H5Tget_size(memory_type)), where_, "make a record type"));
    H5Tinsert(record.get(), field_.c_str(), 0, memory_type);
    memory_type = record.get();
  }
  Box box;
  if (!dataset_.dims.empty()) box = {{static_cast<hsize_t>(range.first)}, {static_cast<hsize_t>(range.size())}};
  read_values(dataset_, memory_type, box, transfer, to, where_);
}

void ColumnData::read_bytes(RowRange range, std::vector<char>& bytes) {
  bytes.resize(static_cast<std::size_t>(range.size()) * element_.size);
  if (range.size() > 0) read(range, value_type_.get(), bytes.data(), H5P_DEFAULT);
}

void ColumnData::read_strings(RowRange range, std::vector<std::string>& out) {
  if (heap_strings_) {
    check_range(range);
    return heap_strings_->read(range, out);
  }
  const auto count = static_cast<std::size_t>(range.size());
  TextLimit limit(where_, count);
  if (!element_.variable_length) {
    const std::int64_t step = std::max<std::int64_t>(1, batch_bytes / static_cast<std::int64_t>(element_.size));
    const H5T_str_t padding = H5Tget_strpad(value_type_.get());
    std::vector<char> bytes;
    for (std::int64_t first = range.first; first < range.last; first += step) {
      const RowRange batch{first, std::min(first + step, range.last)};
      read_bytes(batch, bytes);
      for (std::int64_t row = batch.first; row < batch.last; ++row) {
        std::string& text = out[static_cast<std::size_t>(row - range.first)];
        text = fixed_text(bytes.data() + static_cast<std::size_t>(row - first) * element_.size, element_.size, padding);
        limit.add(text.size());
      }
    }
    return;
  }
  StringArena arena(text_limit(count));
  const PropertyHandle transfer = arena.transfer();
  std::vector<char*> pointers(count, nullptr);
  try {
    read(range, value_type_.get(), pointers.data(), transfer.get());
  } catch (const Error&) {
    if (arena.refused()) throw_text_too_long(where_, count);
    throw;
  }
  for (std::size_t i = 0; i < count; ++i) out[i] = variable_text(pointers[i]);
}

void ColumnData::read_text(RowRange range, std::vector<std::string>& out) {
  out.resize(static_cast<std::size_t>(range.size()));
  if (out.empty()) return;
  if (element_.kind == TypeClass::string) return read_strings(range, out);
  if (element_.kind == TypeClass::floating) {
    std::vector<double> values(out.size());
    read(range, H5T_NATIVE_DOUBLE, values.data(), H5P_DEFAULT);
    std::transform(values.begin(), values.end(), out.begin(), python_repr);
    return;
  }
  if (!element_.is_number()) throw input_error("bad-type", where_, "expected text or numbers, found " + element_.name);
  std::vector<char> bytes;
  read_bytes(range, bytes);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = integer_text(bytes.data() + i * element_.size, element_);
}

void ColumnData::read_integers(RowRange range, std::vector<std::int64_t>& out) {
  if (element_.kind != TypeClass::integer && element_.kind != TypeClass::boolean)
    throw input_error("bad-type", where_, "expected integers, found " + element_.name);
  std::vector<char> bytes;
  read_bytes(range, bytes);
  out.resize(static_cast<std::size_t>(range.size()));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = integer_at(bytes.data() + i * element_.size, element_);
}

KeptText read_whole_column(std::unique_ptr<NameSource> column, std::int64_t at_most, MemoryBudget* budget) {
  constexpr std::int64_t step = 4096;
  const std::int64_t size = std::min(column->size(), at_most);
  KeptText out;
  const auto claim = [&](std::size_t bytes) {
    if (budget) out.claims.push_back(budget->claim("labels of categories", bytes));
  };
  claim(static_cast<std::size_t>(size) * sizeof(std::string));
  out.texts.reserve(static_cast<std::size_t>(size));
  std::vector<std::string> batch;
  while (static_cast<std::int64_t>(out.texts.size()) < size) {
    const auto first = static_cast<std::int64_t>(out.texts.size());
    read_some(*column, {first, std::min(first + step, size)}, batch);
    claim(bytes_of(batch) - batch.size() * sizeof(std::string));
    std::move(batch.begin(), batch.end(), std::back_inserter(out.texts));
  }
  return out;
}

}  // namespace quern::io
