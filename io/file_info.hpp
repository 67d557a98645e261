// What a file holds, from its metadata alone. Filled by the readers of each format, printed by `info`, used to open matrices.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace quern::io {

enum class Format { h5ad, tenx_v2, tenx_v3, mtx_v2, mtx_v3 };
enum class Storage { csr, csc, dense };

struct StoredArray {  // one HDF5 dataset (or a column of an mtx file)
  std::string path;   // inside the file: "/X/data"
  std::string type;   // numpy's name: "float32", "int64", "uint16", "bool", ">f4" as "float32" with big_endian
  bool big_endian = false;
  std::vector<std::int64_t> dims, chunk;  // chunk empty: contiguous or compact
  std::vector<std::string> filters;       // "gzip", "shuffle", "lzf", "zstd", "blosc", "lz4", "fletcher32", else the number
  std::int64_t bytes_on_disk = 0;
};

struct MatrixInfo {
  std::string name;  // "X", "raw", "layers/NAME"; 10x v2 with several genomes: "genome/NAME"
  Storage storage = Storage::csr;
  std::int64_t rows = 0, cols = 0;    // cells, genes
  std::int64_t nnz = -1;              // stored entries; -1 for dense
  StoredArray data, indices, indptr;  // dense: data only
  std::string feature_group;  // 10x: the group that holds this matrix's names ("/matrix/features"); h5ad: "/var", "/raw/var", "/raw.var"
};

struct ColumnInfo {
  std::string name;
  std::string kind;  // a numeric dtype, "string", "bool", "categorical", "nullable-int", "nullable-bool", "nullable-string"
  std::vector<std::string> categories;  // the first 1,000
  std::int64_t n_categories = 0;        // all of them
  bool ordered = false;
};

struct FrameInfo {
  std::string path;   // "/obs", "/raw/var" ...
  std::string index;  // name of the index column
  std::int64_t size = 0;
  std::vector<ColumnInfo> columns;
};

struct Warning {
  std::string code, text;
};

// Something in the file that is wrong but keeps nothing else from being read. Using the object throws the same as input_error.
struct Problem {
  std::string object, code, text;
  std::string matrix = {};  // the matrix it makes unusable, if it does
};

struct FileInfo {
  std::string path;
  Format format = Format::h5ad;
  std::string generation;  // "anndata>=0.8", "anndata 0.7", "anndata<=0.6"; empty for 10x
  std::string writer;      // what the file says of who wrote it; may be empty
  std::int64_t bytes = 0;  // of the file, or of the directory's files
  std::int64_t n_obs = 0, n_vars = 0;
  FrameInfo obs, var, raw_var;
  bool has_raw = false;
  std::vector<MatrixInfo> matrices;
  std::map<std::string, std::vector<std::string>> keys;  // obsm, varm, obsp, varp, uns -> names
  std::vector<Warning> warnings;
  std::vector<Problem> problems;
};

const char* format_name(Format format);     // "h5ad", "10x-h5-v2", "10x-h5-v3", "10x-mtx-v2", "10x-mtx-v3"
const char* storage_name(Storage storage);  // "csr", "csc", "dense"

}  // namespace quern::io
