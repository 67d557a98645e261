#include "io/hdf5/filters.hpp"

#include <blosc.h>
#include <hdf5.h>
#include <zstd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "io/decode/chunk_decoder.hpp"
#include "io/decode/codecs.hpp"

namespace quern::io {
namespace {

using Bytes = std::span<const std::byte>;
constexpr std::size_t largest_chunk = std::size_t{1} << 28;  // decoded; more than anything that is read this way

// Each names the decoded size of a chunk; 0 when the chunk does not say.
std::size_t size_by_parameter(Bytes, std::span<const unsigned> params) { return params.size() > 2 ? params[2] : 0; }
// What a stream that does not tell its size decodes to, by decoding it.
std::size_t streamed_zstd_size(Bytes in) {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  if (!context) return 0;
  std::vector<std::byte> piece(ZSTD_DStreamOutSize());
  ZSTD_inBuffer input{in.data(), in.size(), 0};
  for (std::size_t size = 0;;) {
    ZSTD_outBuffer output{piece.data(), piece.size(), 0};
    const std::size_t left = ZSTD_decompressStream(context.get(), &output, &input);
    size += output.pos;
    if (ZSTD_isError(left) != 0 || size > largest_chunk) return 0;
    if (left == 0 && input.pos == input.size) return size;
    if (output.pos == 0 && input.pos == input.size) return 0;  // ends early
  }
}
std::size_t zstd_size(Bytes in, std::span<const unsigned>) {
  const unsigned long long size = ZSTD_getFrameContentSize(in.data(), in.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN) return streamed_zstd_size(in);
  return size > largest_chunk ? 0 : static_cast<std::size_t>(size);  // an error's code is huge
}
std::size_t lz4_size(Bytes in, std::span<const unsigned>) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < 8 && in.size() >= 8; ++i) size = size << 8 | static_cast<std::size_t>(in[i]);
  return size;
}
std::size_t blosc_size(Bytes in, std::span<const unsigned>) {
  std::size_t size = 0;
  blosc_cbuffer_validate(in.data(), in.size(), &size);
  return size;
}
std::size_t decode_zstd(Bytes in, std::span<std::byte> out) {
  return ZSTD_decompress(out.data(), out.size(), in.data(), in.size());  // an error: a huge number
}

using Measure = std::size_t (*)(Bytes, std::span<const unsigned>);
using Decode = std::size_t (*)(Bytes, std::span<std::byte>);

// HDF5's call-back: replaces *buffer by the decoded chunk and returns its size, or 0 for failure.
template <Measure measure, Decode decode>
std::size_t filter(unsigned flags, std::size_t n_params, const unsigned* params, std::size_t bytes, std::size_t* buffer_bytes,
                   void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0) return 0;
  const Bytes in(static_cast<const std::byte*>(*buffer), bytes);
  const std::size_t size = measure(in, {params, n_params});
  if (size == 0 || size > largest_chunk) return 0;
  void* out = H5allocate_memory(size, false);
  if (out == nullptr) return 0;
  const std::size_t written = decode(in, {static_cast<std::byte*>(out), size});
  if (written == 0 || written > size) {
    H5free_memory(out);
    return 0;
  }
  H5free_memory(*buffer);
  *buffer = out;
  *buffer_bytes = size;
  return written;
}

// Said to encode as well: otherwise HDF5 refuses to create datasets that are then filled with chunks we encoded ourselves.
constexpr H5Z_class2_t filter_class(FilterId id, const char* name, H5Z_func_t function) {
  return {H5Z_CLASS_T_VERS, static_cast<H5Z_filter_t>(id), 1, 1, name, nullptr, nullptr, function};
}

}  // namespace

void register_filters() {
  static const std::array<H5Z_class2_t, 4> classes{filter_class(FilterId::lzf, "lzf", filter<size_by_parameter, decode_lzf>),
                                                   filter_class(FilterId::zstd, "zstd", filter<zstd_size, decode_zstd>),
                                                   filter_class(FilterId::lz4, "lz4", filter<lz4_size, decode_lz4>),
                                                   filter_class(FilterId::blosc, "blosc", filter<blosc_size, decode_blosc>)};
  for (const H5Z_class2_t& entry : classes) H5Zregister(&entry);
}

}  // namespace quern::io
