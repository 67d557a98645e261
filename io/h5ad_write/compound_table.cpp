#include "io/h5ad_write/compound_table.hpp"

#include <algorithm>
#include <cstring>

namespace quern::io {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 18;

TypeHandle field_type(const CompoundField& field) {
  const auto copy = [&](hid_t type) { return TypeHandle(made(H5Tcopy(type), field.name, "make the field's type")); };
  switch (field.kind) {
    case FieldKind::text:
      return fixed_string(field.text_bytes);
    case FieldKind::int8:
      return copy(file_type<std::int8_t>());
    case FieldKind::int16:
      return copy(file_type<std::int16_t>());
    case FieldKind::int32:
      return copy(file_type<std::int32_t>());
    case FieldKind::int64:
      return copy(file_type<std::int64_t>());
    case FieldKind::float32:
      return copy(file_type<float>());
    case FieldKind::float64:
      return copy(file_type<double>());
  }
  return {};
}

std::size_t bytes_of(hid_t type, const std::string& path) {
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0) throw output_error("write-failed", path, "HDF5 could not tell the size of a type");
  return bytes;
}

TypeHandle row_type(const std::vector<CompoundField>& fields, const std::string& path) {
  std::vector<TypeHandle> types;
  std::size_t total = 0;
  for (const CompoundField& field : fields) {
    types.push_back(field_type(field));
    total += bytes_of(types.back().get(), path);
  }
  TypeHandle row(made(H5Tcreate(H5T_COMPOUND, total), path, "make the row type"));
  std::size_t offset = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    done(H5Tinsert(row.get(), fields[i].name.c_str(), offset, types[i].get()), path, "add a field to the row type");
    offset += bytes_of(types[i].get(), path);
  }
  return row;
}

ChunkAppender make_rows(hid_t parent, const std::string& parent_path, const std::string& name, hid_t type, std::int64_t n_rows,
                        const Compression& compression) {
  const auto rows_per_chunk =
      static_cast<std::int64_t>(std::max<std::size_t>(1, kChunkBytes / bytes_of(type, object_path(parent_path, name))));
  const ChunkedShape shape{n_rows, std::min(rows_per_chunk, std::max<std::int64_t>(1, n_rows))};
  return {ChunkedDataset(parent, parent_path, name, type, shape, compression), compression, 4};
}

template <class T>
void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

}  // namespace

CompoundTable::CompoundTable(hid_t parent, const std::string& parent_path, const std::string& name,
                             const std::vector<CompoundField>& fields, std::int64_t n_rows, const Compression& compression)
    : rows_(make_rows(parent, parent_path, name, row_type(fields, object_path(parent_path, name)).get(), n_rows, compression)) {
  std::size_t offset = 0;
  for (const CompoundField& field : fields) {
    const std::size_t bytes = bytes_of(field_type(field).get(), object_path(parent_path, name));
    columns_.push_back({field.kind, offset, bytes});
    offset += bytes;
  }
  row_.resize(offset);
}

void CompoundTable::set_text(std::size_t field, const std::string& text) {
  const Column& column = columns_.at(field);
  std::memcpy(row_.data() + column.offset, text.data(), std::min(text.size(), column.bytes));
}

void CompoundTable::set_integer(std::size_t field, std::int64_t value) {
  const Column& column = columns_.at(field);
  std::memcpy(row_.data() + column.offset, &value, column.bytes);  // little-endian: the low bytes come first
}

void CompoundTable::set_real(std::size_t field, double value) {
  const Column& column = columns_.at(field);
  std::byte* to = row_.data() + column.offset;
  if (column.kind == FieldKind::float32)
    store(to, static_cast<float>(value));
  else
    store(to, value);
}

void CompoundTable::end_row() {
  rows_.append(row_);
  std::fill(row_.begin(), row_.end(), std::byte{0});
}

void CompoundTable::finish() { rows_.finish(); }

}  // namespace quern::io
