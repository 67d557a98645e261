#include "io/hdf5/sparse_group.hpp"

#include "io/hdf5/dataset.hpp"

namespace quern::io {
namespace {

StoredArray describe_array(const Hdf5File& file, const std::string& path, bool integers_only) {
  const Dataset dataset = open_described(file, path);
  const TypeClass kind = dataset.element.kind;
  if (integers_only ? kind != TypeClass::integer || dataset.element.size > 8 : !dataset.element.is_number() || dataset.element.size > 8)
    throw input_error(
        "bad-type", path,
        std::string("expected ") + (integers_only ? "integers" : "numbers") + " of at most 64 bits, found " + dataset.element.name);
  if (dataset.dims.size() != 1)
    throw input_error("bad-shape", path, "expected one dimension, found " + std::to_string(dataset.dims.size()));
  return stored_array(file, dataset);
}

}  // namespace

void check_shape(std::int64_t rows, std::int64_t cols, const std::string& where) {
  constexpr std::int64_t most_cols = (std::int64_t{1} << 31) - 1, most_rows = std::int64_t{1} << 48;
  if (rows < 0 || cols < 0 || rows > most_rows || cols > most_cols)
    throw input_error("bad-shape", where, "a matrix of " + std::to_string(rows) + " x " + std::to_string(cols));
}

MatrixInfo describe_sparse(const Hdf5File& file, const std::string& group, const std::string& name, Storage storage, std::int64_t rows,
                           std::int64_t cols) {
  check_shape(rows, cols, group);
  MatrixInfo out;
  out.name = name;
  out.storage = storage;
  out.rows = rows;
  out.cols = cols;
  out.data = describe_array(file, join_path(group, "data"), false);
  out.indices = describe_array(file, join_path(group, "indices"), true);
  out.indptr = describe_array(file, join_path(group, "indptr"), true);
  out.nnz = out.data.dims[0];
  if (out.indices.dims[0] != out.nnz)
    throw input_error("bad-shape", out.indices.path,
                      "holds " + std::to_string(out.indices.dims[0]) + " entries, data " + std::to_string(out.nnz));
  const std::int64_t expected = (storage == Storage::csr ? rows : cols) + 1;
  if (out.indptr.dims[0] != expected)
    throw input_error("bad-shape", out.indptr.path,
                      "holds " + std::to_string(out.indptr.dims[0]) + " entries, expected " + std::to_string(expected) + " for " +
                          std::to_string(rows) + " x " + std::to_string(cols));
  return out;
}

}  // namespace quern::io
