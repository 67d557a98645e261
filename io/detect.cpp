#include "io/detect.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "io/hdf5/attributes.hpp"
#include "io/hdf5/superblock.hpp"
#include "io/mtx/mtx_file.hpp"
#include "io/other_kinds.hpp"
#include "io/tenx/tenx_file.hpp"

namespace quern::io {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

Container detect_directory(const std::string& path) {
  if (access(path.c_str(), R_OK | X_OK) != 0) throw input_error("no-permission", "", "no permission to read this directory");
  for (const char* name : {".zgroup", ".zattrs", ".zarray", "zarr.json"})
    if (fs::exists(fs::path(path) / name))
      throw input_error("zarr", "", "a zarr store, which quern does not read", "write it as h5ad: anndata.read_zarr(...).write_h5ad(...)");
  if (find_mtx(path)) return Container::mtx;
  throw input_error("no-matrix", "", "a directory without matrix.mtx or matrix.mtx.gz",
                    "name the directory that holds it, or an h5ad or 10x h5 file");
}

struct Beginning {
  std::string bytes;  // decompressed when the file is gzip
  bool packed = false;
};

Beginning beginning_of(const std::string& path) {
  constexpr unsigned most = 1024;
  Beginning begin{std::string(most, '\0'), false};
  gzFile file = gzopen(path.c_str(), "rb");
  const int count = file == nullptr ? -1 : gzread(file, begin.bytes.data(), most);
  begin.packed = file != nullptr && gzdirect(file) == 0;
  if (file != nullptr) gzclose(file);
  begin.bytes.resize(static_cast<std::size_t>(std::max(count, 0)));
  return begin;
}

Container detect_text(const std::string& path) {
  const auto [bytes, packed] = beginning_of(path);
  if (bytes.starts_with("%%MatrixMarket")) return Container::mtx;
  if (bytes.starts_with("\x89HDF\r\n")) throw input_error("not-hdf5", "", "a gzip-compressed HDF5 file", "decompress it first: gunzip");
  if (bytes.starts_with("PK\x03\x04"))
    throw input_error("not-hdf5", "", "a zip archive", "unpack it and name the file or directory inside");
  if (bytes.starts_with("RDX") || bytes.starts_with("X\n"))
    throw input_error("not-hdf5", "", "an R data file", "write it as h5ad from R (anndataR, zellkonverter)");
  const OtherKind kind = other_kind(bytes);
  throw input_error("not-hdf5", "", (packed ? "gzip-compressed; inside: " : "") + kind.what, kind.advice);
}

std::string tag(const Hdf5File& file, const char* name) { return string_attribute(file.open("/").get(), name, "/").value_or(""); }

void refuse_relatives(const Hdf5File& file, const std::vector<std::string>& keys) {
  const auto has = [&](const char* key) { return std::binary_search(keys.begin(), keys.end(), key); };
  if (tag(file, "filetype") == "molecule" || has("barcode_idx") || (has("barcode") && has("umi")))
    throw input_error("molecule-info", "/", "a 10x molecule_info file: molecules, no matrix",
                      "use filtered_feature_bc_matrix.h5 of the same run");
  if (tag(file, "encoding-type") == "MuData" || has("mod"))
    throw input_error("h5mu", "/", "an h5mu file (MuData) of several modalities",
                      "write one of them as h5ad: mdata['rna'].write_h5ad(...)");
  if (has("row_attrs") && has("col_attrs"))
    throw input_error("loom", "/", "a loom file, which quern does not read", "write it as h5ad: anndata.read_loom(...).write_h5ad(...)");
  if ((has("assays") || has("active.ident")) && !has("obs"))
    throw input_error("h5seurat", "/", "an h5Seurat file, which quern does not read", "convert it to h5ad (SeuratDisk::Convert)");
}

}  // namespace

Container detect_container(const std::string& path) {
  if (path == "-" || path == "/dev/stdin")
    throw usage_error("stdin-input", path, "the input cannot come from stdin: HDF5 has to seek", "give the path of a file");
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    if (errno == EACCES) throw input_error("no-permission", "", "no permission to reach this path");
    const bool is_path = errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG;
    throw input_error(is_path ? "not-found" : "unreadable", "", "cannot be opened: "s + std::strerror(errno),
                      is_path ? "check the path" : "");
  }
  if (S_ISDIR(status.st_mode)) return detect_directory(path);
  if (!S_ISREG(status.st_mode)) throw input_error("not-a-file", "", "neither a file nor a directory", "give the path of a file");
  if (access(path.c_str(), R_OK) != 0) throw input_error("no-permission", "", "no permission to read this file");
  if (status.st_size == 0) throw input_error("empty-file", "", "an empty file", "copy or download it again");
  return find_superblock(path) >= 0 ? Container::hdf5 : detect_text(path);
}

Format detect_layout(const Hdf5File& file) {
  const auto keys = file.children("/");
  const auto has = [&](const char* key) { return std::binary_search(keys.begin(), keys.end(), key); };
  refuse_relatives(file, keys);
  if (file.is_group("/matrix") && !has("obs")) return Format::tenx_v3;
  if (has("obs") || has("var") || has("X") || tag(file, "encoding-type") == "anndata") return Format::h5ad;
  if (!tenx_genomes(file).empty()) return Format::tenx_v2;
  std::string found;
  for (const std::string& key : keys) found += (found.empty() ? "" : ", ") + key;
  throw input_error("unknown-layout", "/",
                    "an HDF5 file, but neither h5ad nor 10x; it holds: " + (found.empty() ? "nothing" : found.substr(0, 200)),
                    "quern reads h5ad, 10x h5 and 10x matrix directories");
}

}  // namespace quern::io
