// Sparse matrices: whole ones as they are stored, parts of them as CSR.
#include <algorithm>
#include <array>

#include "io/carry/copy_array.hpp"
#include "io/carry/copy_element.hpp"
#include "io/carry/cut_rows.hpp"
#include "io/carry/sparse_out.hpp"
#include "io/h5ad/h5ad_file.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/source/kept_columns_source.hpp"
#include "io/sources.hpp"

namespace quern::io {
namespace {

constexpr std::array known_attributes{"encoding-type", "encoding-version", "shape", "h5sparse_format", "h5sparse_shape"};

bool suits_every_reader(const ElementType& type) {
  return type.kind == TypeClass::integer && type.is_signed && !type.big_endian && (type.size == 4 || type.size == 8);
}

// scipy has no sparse matrices of 16-bit floats or of foreign byte order: what they are written as. Else invalid.
hid_t readable_type(const ElementType& type) {
  if (type.kind == TypeClass::floating && type.size == 2) return file_type<float>();
  if (!type.big_endian) return H5I_INVALID_HID;
  if (type.kind == TypeClass::floating) return type.size == 4 ? file_type<float>() : file_type<double>();
  const std::array signed_types{file_type<std::int16_t>(), file_type<std::int32_t>(), file_type<std::int64_t>()};
  const std::array unsigned_types{H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE};
  const std::size_t which = type.size == 2 ? 0 : type.size == 4 ? 1 : 2;
  return type.is_signed ? signed_types.at(which) : unsigned_types.at(which);
}

void copy_whole_sparse(CarryContext& context, const MatrixInfo& matrix, const std::string& path, const OutputGroup& group) {
  const Dataset indices = open_described(context.from, matrix.indices.path), indptr = open_described(context.from, matrix.indptr.path);
  const Dataset data = open_described(context.from, matrix.data.path);
  const hid_t readable = readable_type(data.element);
  if (readable == H5I_INVALID_HID)
    copy_array(context, data, group, "data", {}).close();
  else
    copy_values(context, data, group, "data", readable);
  const bool suits = suits_every_reader(indices.element) && suits_every_reader(indptr.element);
  if (suits && indices.element.size == indptr.element.size) {
    copy_array(context, indices, group, "indices", {}).close();
    copy_array(context, indptr, group, "indptr", {}).close();
  } else {
    const std::size_t bytes = needs_wide_indices(matrix.rows, matrix.cols, matrix.nnz) ? 8 : 4;
    copy_integers(context, indices, group, "indices", bytes);
    copy_integers(context, indptr, group, "indptr", bytes);
  }
  copy_attributes(context, context.from.open(path).get(), path, group.get(), group.object(), known_attributes);
}

// The caller's, where it has read the matrix already; `input` outlives it.
std::unique_ptr<ChunkSource> open_source(const CarryContext& context, const MatrixInput& input, MemoryBudget& budget) {
  auto taken = context.take_source ? context.take_source(input.matrix.data.path) : nullptr;
  if (taken) return std::make_unique<KeptColumnsSource>(std::move(taken), input.columns);
  return input.matrix.storage == Storage::csr ? make_csr_source(input, budget) : make_csc_source(input, budget);
}

void copy_sparse_part(CarryContext& context, const MatrixInfo& matrix, const OutputGroup& group, const Selection& rows,
                      const Selection& columns) {
  MatrixInput input;
  input.file = context.from.id();
  input.path = context.from.path();
  input.matrix = matrix;
  input.threads = context.threads;
  input.tmp_dir = context.tmp_dir;
  input.stop = context.stop;
  input.columns.to = columns.new_numbers(matrix.cols);
  input.columns.n_kept = columns.n_kept(matrix.cols);
  const Claim map = context.budget.claim("what is kept", input.columns.to.size() * sizeof(std::int32_t) + rows.bytes());
  const auto source = open_source(context, input, context.budget);
  const Dataset data = open_described(context.from, matrix.data.path);
  const Compression like_source = matrix.data.filters.empty() ? Compression{} : Compression{Packing::gzip, 1, false};
  const Compression packing = context.packing.value_or(like_source);
  const hid_t readable = readable_type(data.element);
  const hid_t type = readable == H5I_INVALID_HID ? data.type.get() : readable;
  const ElementType written = element_type(type);
  const int n_parallel = SparseOut::affordable_parallel(written.size, packing, 0, context.threads, context.budget);
  const MatrixShape shape{rows.n_kept(matrix.rows), columns.n_kept(matrix.cols), matrix.nnz};
  SparseOut out(group, shape, type, {packing}, context.budget, n_parallel);
  CutRows cut(rows, matrix.rows, written, out);
  context.visit(*source, context.wide_values ? ValueType::f64 : exact_value_type(data.element), cut);
  out.finish();
}

}  // namespace

void copy_sparse(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name,
                 std::span<const Selection> axes) {
  const auto matrix = describe_matrix(context.from, path, path);
  const Selection rows = axes.empty() ? Selection() : axes[0], columns = axes.size() < 2 ? Selection() : axes[1];
  const bool whole = rows.keeps_all_of(matrix->rows) && columns.keeps_all_of(matrix->cols);
  const bool by_row = !whole || matrix->storage == Storage::csr;
  OutputGroup group = make_group(to, name);
  tag_element(group.get(), group.object(), by_row ? "csr_matrix" : "csc_matrix", "0.1.0");
  const std::array shape{rows.n_kept(matrix->rows), columns.n_kept(matrix->cols)};
  write_attribute(group.get(), group.object(), "shape", std::span<const std::int64_t>(shape));
  if (whole)
    copy_whole_sparse(context, *matrix, path, group);
  else
    copy_sparse_part(context, *matrix, group, rows, columns);
  group.close();
}

}  // namespace quern::io
