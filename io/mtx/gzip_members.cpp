#include "io/mtx/gzip_members.hpp"

#include <libdeflate.h>

#include "host/core/error.hpp"

namespace quern::io {

void GzipPacker::Free::operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }

GzipPacker::GzipPacker(int level) : compressor_(libdeflate_alloc_compressor(level)) {
  if (!compressor_) throw resource_error("out-of-memory", "--memory", "no memory for a compressor");
}

std::size_t GzipPacker::packed_bound(std::size_t text_bytes) { return libdeflate_gzip_compress_bound(nullptr, text_bytes); }

std::size_t GzipPacker::pack(std::string_view text, std::span<char> packed) {
  const std::size_t used = libdeflate_gzip_compress(compressor_.get(), text.data(), text.size(), packed.data(), packed.size());
  if (used == 0) throw Error(ErrorKind::internal, "compressor-failed", "chunk", "a chunk could not be compressed");
  return used;
}

}  // namespace quern::io
