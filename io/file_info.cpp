#include "io/file_info.hpp"

namespace quern::io {

const char* format_name(Format format) {
  switch (format) {
    case Format::h5ad:
      return "h5ad";
    case Format::tenx_v2:
      return "10x-h5-v2";
    case Format::tenx_v3:
      return "10x-h5-v3";
    case Format::mtx_v2:
      return "10x-mtx-v2";
    case Format::mtx_v3:
      return "10x-mtx-v3";
  }
  return "";
}

const char* storage_name(Storage storage) {
  switch (storage) {
    case Storage::csr:
      return "csr";
    case Storage::csc:
      return "csc";
    case Storage::dense:
      return "dense";
  }
  return "";
}

}  // namespace quern::io
