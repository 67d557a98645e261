#include "io/carry/copy_array.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "io/carry/rows_out.hpp"
#include "io/h5ad_write/element_types.hpp"
#include "io/hdf5/chunk_index.hpp"
#include "io/hdf5/quiet.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/hdf5/strings.hpp"
#include "io/names/text_limit.hpp"

namespace quern::io {
namespace {

// What stands for a dataset in a survey: something to hang attributes on.
OutputDataset stand_in(const OutputGroup& to, const std::string& name) {
  const std::string path = object_path(to.object(), name);
  const SpaceHandle space(made(H5Screate(H5S_SCALAR), path, "make its space"));
  return {made(H5Dcreate2(to.get(), name.c_str(), H5T_STD_I8LE, space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), path,
               "create the dataset"),
          path};
}

bool contains_class(hid_t type, H5T_class_t kind, const std::string& path) {
  const htri_t found = H5Tdetect_class(type, kind);
  if (found < 0) throw hdf5_failure(path, "look at the type");
  return found > 0;
}

std::size_t stored_size(hid_t type, const std::string& path) {
  const std::size_t bytes = H5Tget_size(type);
  if (bytes == 0) throw hdf5_failure(path, "tell the size of a type");
  return bytes;
}

// Has values that lie elsewhere in the file (strings, lists of variable length).
bool is_variable(const Dataset& from) {
  if (from.element.variable_length || contains_class(from.type.get(), H5T_VLEN, from.path)) return true;
  if (from.element.kind != TypeClass::compound) return false;
  for (int i = 0; i < H5Tget_nmembers(from.type.get()); ++i) {
    const TypeHandle member(H5Tget_member_type(from.type.get(), static_cast<unsigned>(i)));
    if (H5Tget_class(member.get()) == H5T_STRING && H5Tis_variable_str(member.get()) > 0) return true;
  }
  return false;
}

void refuse_references(const Dataset& from) {
  if (contains_class(from.type.get(), H5T_REFERENCE, from.path))
    throw input_error("bad-type", from.path, "holds references to other objects of the file, which cannot be carried to another file");
}

std::vector<hsize_t> row_dims_of(const Dataset& from) {
  std::vector<hsize_t> dims;
  for (std::size_t axis = 1; axis < from.dims.size(); ++axis) dims.push_back(static_cast<hsize_t>(from.dims[axis]));
  return dims;
}

// Stored chunks from one file to the other, undecoded.
OutputDataset copy_chunks(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name) {
  const std::string path = object_path(to.object(), name);
  const PropertyHandle creation(checked(H5Dget_create_plist(from.id.get()), from.path, "read the dataset's layout"));
  const SpaceHandle space(checked(H5Dget_space(from.id.get()), from.path, "read the dataset's shape"));
  done(H5Pset_obj_track_times(creation.get(), false), path, "set dataset properties");
  keep_hdf5_quiet();
  OutputDataset out(made(H5Dcreate2(to.get(), name.c_str(), from.type.get(), space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), path,
                         "create the dataset"),
                    path);
  from.check->sizes(from.id.get(), from.path, from.dims.size());
  Claim claim;
  std::vector<std::byte> stored;
  for_each_chunk(from.dims, chunk_dims(from.id.get()), [&](const std::vector<hsize_t>& offset) {
    const std::size_t bytes = stored_chunk_bytes(from.id.get(), offset, from.path);
    if (bytes == 0) return;
    if (bytes > stored.size()) {
      claim = {};
      claim = context.budget.claim("arrays that are carried over", bytes);
      stored.resize(bytes);
    }
    const std::span<std::byte> chunk(stored.data(), bytes);
    const std::uint32_t mask = read_stored_chunk(from.id.get(), offset, chunk, from.path);
    done(H5Dwrite_chunk(out.get(), H5P_DEFAULT, mask, offset.data(), bytes, chunk.data()), path, "write a chunk");
    context.rest();
  });
  return out;
}

OutputDataset copy_scalar(const Dataset& from, const OutputGroup& to, const std::string& name) {
  const std::string path = object_path(to.object(), name);
  StringArena arena(most_single_text_bytes);
  std::vector<std::byte> value(from.element.size);
  read_values(from, from.type.get(), {}, arena.transfer().get(), value.data(), from.path);
  const SpaceHandle space(made(H5Screate(H5S_SCALAR), path, "make its space"));
  const PropertyHandle creation = dataset_properties();
  OutputDataset out(made(H5Dcreate2(to.get(), name.c_str(), from.type.get(), space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), path,
                         "create the dataset"),
                    path);
  done(H5Dwrite(out.get(), from.type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, value.data()), path, "write the value");
  return out;
}

Compression packing_like(const Dataset& from) {
  const bool is_packed = !filter_names(from.id.get()).empty() && !is_variable(from);
  return is_packed ? Compression{Packing::gzip, 4, false} : Compression{};
}

void read_block(const Dataset& from, hid_t type, RowRange rows, std::span<std::byte> out, hid_t transfer = H5P_DEFAULT) {
  Box box{std::vector<hsize_t>(from.dims.size(), 0), {from.dims.begin(), from.dims.end()}};
  box.start[0] = static_cast<hsize_t>(rows.first);
  box.count[0] = static_cast<hsize_t>(rows.size());
  read_values(from, type, box, transfer, out.data(), from.path);
}

// Rows to read at once: whole chunks of them where they fit a piece.
std::int64_t rows_at_once(const Dataset& from, std::size_t row_bytes) {
  constexpr std::size_t usual_text = 64;
  const std::size_t held = std::max<std::size_t>(row_bytes, 1) * (is_variable(from) ? usual_text : 1);
  const auto fitting = static_cast<std::int64_t>(carry_piece_bytes / held);
  const auto chunk = chunk_dims(from.id.get());
  if (chunk.empty() || chunk[0] > std::max<std::int64_t>(fitting, 1) * 16) return std::max<std::int64_t>(fitting, 1);
  return std::max<std::int64_t>(fitting / chunk[0], 1) * chunk[0];
}

// Keeps the chosen columns of each row, from `in` to `out` (which may be the same).
void keep_columns(std::span<std::byte> rows, std::size_t n_rows, const std::vector<RowRange>& kept, std::size_t column_bytes,
                  std::size_t row_bytes) {
  std::size_t to = 0;
  for (std::size_t row = 0; row < n_rows; ++row)
    for (const RowRange& range : kept) {
      const auto bytes = static_cast<std::size_t>(range.size()) * column_bytes;
      const std::size_t from = row * row_bytes + static_cast<std::size_t>(range.first) * column_bytes;
      if (from != to) std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(from), bytes, rows.begin() + static_cast<std::ptrdiff_t>(to));
      to += bytes;
    }
}

OutputDataset copy_part(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name,
                        std::span<const Selection> axes) {
  std::vector<hsize_t> dims = row_dims_of(from);
  const std::size_t row_bytes = std::accumulate(dims.begin(), dims.end(), from.element.size, std::multiplies<>());
  const bool cuts_columns = axes.size() > 1 && !axes[1].keeps_all() && !dims.empty();
  const std::vector<RowRange> columns = cuts_columns ? axes[1].ranges(from.dims[1]) : std::vector<RowRange>{};
  const std::size_t column_bytes = cuts_columns && dims[0] > 0 ? row_bytes / dims[0] : 0;
  if (cuts_columns) dims[0] = static_cast<hsize_t>(axes[1].n_kept(from.dims[1]));
  const Selection& rows = axes[0];
  RowsOut out(to, name, from.type.get(), rows.n_kept(from.dims[0]), dims, packing_like(from), context.budget, context.threads);
  const std::int64_t most = std::max<std::int64_t>(1, std::min(rows_at_once(from, row_bytes), from.dims[0]));
  const Claim claim = context.budget.claim("arrays that are carried over", row_bytes * static_cast<std::size_t>(most));
  std::vector<std::byte> piece(claim.bytes());
  SelectedBatches batches(rows, from.dims[0], most);
  for (SelectedBatch batch; row_bytes > 0 && batches.next(batch); context.rest()) {
    const std::span<std::byte> read(piece.data(), row_bytes * static_cast<std::size_t>(batch.read.size()));
    StringArena arena(most_single_text_bytes);
    const PropertyHandle transfer = arena.transfer();
    read_block(from, from.type.get(), batch.read, read, transfer.get());
    keep_rows(read, row_bytes, batch);
    const auto n = static_cast<std::size_t>(batch.n_kept());
    if (cuts_columns) keep_columns(read, n, columns, column_bytes, row_bytes);
    out.append(read.first(n * out.row_bytes()));
  }
  return out.finish();
}

// Reads what HDF5 alone can follow, so that it fails in the probe if it fails.
void read_variable(const Dataset& from) {
  const std::vector<hsize_t> dims = row_dims_of(from);
  const std::size_t row_bytes = std::accumulate(dims.begin(), dims.end(), from.element.size, std::multiplies<>());
  const std::int64_t n_rows = from.dims.empty() ? 1 : from.dims[0], most = rows_at_once(from, row_bytes);
  std::vector<std::byte> piece(row_bytes * static_cast<std::size_t>(std::min(most, n_rows)));
  SelectedBatches batches(Selection(), n_rows, most);
  for (SelectedBatch batch; row_bytes > 0 && batches.next(batch);) {
    StringArena arena(most_single_text_bytes);
    const PropertyHandle transfer = arena.transfer();
    if (!from.dims.empty())
      read_block(from, from.type.get(), batch.read, piece, transfer.get());
    else
      read_values(from, from.type.get(), {}, transfer.get(), piece.data(), from.path);
  }
}

std::int64_t plain_chunk_bytes(const Dataset& from) {
  const auto dims = chunk_dims(from.id.get());
  return std::accumulate(dims.begin(), dims.end(), static_cast<std::int64_t>(from.element.size), [](std::int64_t bytes, auto length) {
    return std::min(bytes * std::max<std::int64_t>(1, static_cast<std::int64_t>(length)), std::int64_t{1} << 40);
  });
}

void look_at(CarryContext& context, const Dataset& from) {
  const auto stored = static_cast<std::int64_t>(H5Dget_storage_size(from.id.get()));
  context.bytes += stored;
  if (!chunk_dims(from.id.get()).empty())  // packed, a chunk may take more than plain
    context.largest_piece = std::max(context.largest_piece, std::min<std::int64_t>(stored, 2 * plain_chunk_bytes(from)));
  visit_chunk_index(from.id.get(), from.dims, chunk_dims(from.id.get()));
  if (is_variable(from)) read_variable(from);
}

herr_t collect_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

std::vector<std::string> attribute_names(hid_t object, const std::string& where) {
  std::vector<std::string> names;
  hsize_t next = 0;
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &next, collect_name, &names) < 0)
    throw input_error("corrupt-hdf5", where, "HDF5 could not list the attributes", "check the file with `quern check`");
  return names;
}

void copy_attribute(CarryContext& context, hid_t from, const std::string& where, hid_t to, const std::string& path,
                    const std::string& name) {
  constexpr std::size_t most_bytes = std::size_t{1} << 24;
  const std::string what = where + " (attribute " + name + ")";
  const AttributeHandle source(checked(H5Aopen(from, name.c_str(), H5P_DEFAULT), what, "open the attribute"));
  const TypeHandle type(checked(H5Aget_type(source.get()), what, "read the attribute's type"));
  const SpaceHandle space(H5Aget_space(source.get()));
  if (contains_class(type.get(), H5T_REFERENCE, where))
    return context.warn("attribute-left-out", where + ": the attribute " + name + " refers to another object and is left out");
  const hssize_t points = H5Sget_simple_extent_npoints(space.get());
  if (points < 0) throw hdf5_failure(what, "read the attribute's shape");
  const std::size_t count = static_cast<std::size_t>(points), size = stored_size(type.get(), what);
  if (count > most_bytes / size) throw input_error("bad-shape", what, "the attribute is larger than 16 MiB");
  std::vector<std::byte> value(std::max<std::size_t>(count * size, 1));
  const bool has_values = H5Sget_simple_extent_type(space.get()) != H5S_NULL && count > 0;
  if (has_values && H5Aread(source.get(), type.get(), value.data()) < 0) throw hdf5_failure(what, "read the attribute");
  const std::string object = path + "@" + name;
  OutputAttribute copy(
      made(H5Acreate2(to, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), object, "create the attribute"), object);
  if (has_values) {
    done(H5Awrite(copy.get(), type.get(), value.data()), object, "write the attribute");
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, value.data());
  }
  copy.close();
}

}  // namespace

OutputDataset copy_array(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name,
                         std::span<const Selection> axes) {
  refuse_references(from);
  context.rest();
  if (context.survey) {
    look_at(context, from);
    return stand_in(to, name);
  }
  if (from.dims.empty()) return copy_scalar(from, to, name);
  bool whole = true;
  for (std::size_t axis = 0; axis < std::min(axes.size(), from.dims.size()); ++axis) whole &= axes[axis].keeps_all_of(from.dims[axis]);
  if (whole && !chunk_dims(from.id.get()).empty() && !is_variable(from)) return copy_chunks(context, from, to, name);
  static const std::vector<Selection> all(1);
  return copy_part(context, from, to, name, axes.empty() ? std::span<const Selection>(all) : axes);
}

void copy_values(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name, hid_t type) {
  if (context.survey) {
    look_at(context, from);
    return stand_in(to, name).close();
  }
  RowsOut out(to, name, type, from.dims.at(0), {}, packing_like(from), context.budget, context.threads);
  const Claim claim = context.budget.claim("arrays that are carried over", carry_piece_bytes);
  std::vector<std::byte> piece(carry_piece_bytes);
  SelectedBatches batches(Selection(), from.dims.at(0), static_cast<std::int64_t>(carry_piece_bytes / out.row_bytes()));
  for (SelectedBatch batch; batches.next(batch); context.rest()) {
    const std::span<std::byte> read(piece.data(), out.row_bytes() * static_cast<std::size_t>(batch.read.size()));
    read_block(from, type, batch.read, read);
    out.append(read);
  }
  out.finish().close();
}

void copy_integers(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name, std::size_t bytes) {
  if (context.survey) {
    look_at(context, from);
    return stand_in(to, name).close();
  }
  const hid_t type = bytes == 4 ? file_type<std::int32_t>() : file_type<std::int64_t>();
  RowsOut out(to, name, type, from.dims.at(0), {}, packing_like(from), context.budget, context.threads);
  const auto most = static_cast<std::int64_t>(carry_piece_bytes / sizeof(std::int64_t));
  const Claim claim = context.budget.claim("arrays that are carried over", 2 * carry_piece_bytes);
  std::vector<std::int64_t> wide;
  std::vector<std::int32_t> narrow;
  SelectedBatches batches(Selection(), from.dims.at(0), most);
  for (SelectedBatch batch; batches.next(batch); context.rest()) {
    wide.resize(static_cast<std::size_t>(batch.read.size()));
    read_block(from, H5T_NATIVE_INT64, batch.read, std::as_writable_bytes(std::span(wide)));
    if (bytes == 8) {
      out.append(std::as_bytes(std::span<const std::int64_t>(wide)));
      continue;
    }
    if (std::any_of(wide.begin(), wide.end(), [](std::int64_t x) { return x < 0 || x > std::numeric_limits<std::int32_t>::max(); }))
      throw input_error("bad-index", from.path, "holds a number that no index of this matrix can be");
    narrow.assign(wide.size(), 0);
    std::transform(wide.begin(), wide.end(), narrow.begin(), [](std::int64_t x) { return static_cast<std::int32_t>(x); });
    out.append(std::as_bytes(std::span<const std::int32_t>(narrow)));
  }
  out.finish().close();
}

OutputDataset copy_field(CarryContext& context, const Dataset& from, const std::string& field, const OutputGroup& to,
                         const std::string& name, const Selection& rows) {
  if (from.dims.size() != 1)
    throw input_error("bad-shape", from.path, "is a table of " + std::to_string(from.dims.size()) + " dimensions, expected 1");
  const int member = H5Tget_member_index(from.type.get(), field.c_str());
  if (member < 0) throw input_error("missing-object", from.path, "the table has no field " + field);
  const TypeHandle member_type(
      checked(H5Tget_member_type(from.type.get(), static_cast<unsigned>(member)), from.path, "read the type of a field"));
  if (context.survey) {
    context.bytes += from.count() * static_cast<std::int64_t>(H5Tget_size(member_type.get()));
    visit_chunk_index(from.id.get(), from.dims, chunk_dims(from.id.get()));
    return stand_in(to, name);
  }
  std::vector<hsize_t> dims;
  TypeHandle value_type(checked(H5Tcopy(member_type.get()), from.path, "copy the type"));
  if (H5Tget_class(member_type.get()) == H5T_ARRAY) {
    dims.resize(static_cast<std::size_t>(std::max(0, H5Tget_array_ndims(member_type.get()))));
    if (dims.empty() || H5Tget_array_dims2(member_type.get(), dims.data()) < 0)
      throw hdf5_failure(from.path, "read the dimensions of the arrays in a field");
    value_type = TypeHandle(checked(H5Tget_super(member_type.get()), from.path, "read the type of a field"));
  }
  const std::size_t row_bytes = stored_size(member_type.get(), from.path);
  TypeHandle record(checked(H5Tcreate(H5T_COMPOUND, row_bytes), from.path, "make a record type"));
  if (H5Tinsert(record.get(), field.c_str(), 0, member_type.get()) < 0) throw hdf5_failure(from.path, "add a field to a record type");
  RowsOut out(to, name, value_type.get(), rows.n_kept(from.dims.at(0)), dims, packing_like(from), context.budget, context.threads);
  const auto most = std::max<std::int64_t>(1, std::min(rows_at_once(from, from.element.size), from.dims[0]));
  const Claim claim = context.budget.claim("arrays that are carried over", row_bytes * static_cast<std::size_t>(most));
  std::vector<std::byte> piece(claim.bytes());
  SelectedBatches batches(rows, from.dims[0], most);
  for (SelectedBatch batch; batches.next(batch); context.rest()) {
    const std::span<std::byte> read(piece.data(), row_bytes * static_cast<std::size_t>(batch.read.size()));
    read_block(from, record.get(), batch.read, read);
    keep_rows(read, row_bytes, batch);
    out.append(read.first(row_bytes * static_cast<std::size_t>(batch.n_kept())));
  }
  return out.finish();
}

void copy_attributes(CarryContext& context, hid_t from, const std::string& where, hid_t to, const std::string& path,
                     std::span<const char* const> known) {
  for (const std::string& name : attribute_names(from, where))
    if (std::find(known.begin(), known.end(), name) == known.end()) copy_attribute(context, from, where, to, path, name);
}

}  // namespace quern::io
