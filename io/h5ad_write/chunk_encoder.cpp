#include "io/h5ad_write/chunk_encoder.hpp"

#include <blosc.h>
#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "host/core/error.hpp"
#include "io/h5ad_write/lzf.hpp"
#include "io/h5ad_write/word_deflate.hpp"

namespace quern::io {
namespace {

struct FreeDeflate {
  void operator()(libdeflate_compressor* compressor) const { libdeflate_free_compressor(compressor); }
};
struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

// What a compressor keeps at the levels we allow, roughly: zstd's tables grow with the chunk up to a limit of the level.
std::size_t packer_bytes(const Compression& compression, std::size_t chunk_bytes) {
  if (compression.packing == Packing::none) return 0;
  if (compression.packing == Packing::gzip) return kMebibyte + WordDeflater::memory_bytes();
  if (compression.packing == Packing::lzf) return LzfPacker::table_bytes;
  if (compression.packing == Packing::blosc) return kMebibyte + 3 * std::min(chunk_bytes, 8 * kMebibyte);  // its blocks, while it packs
  return 2 * kMebibyte + std::min(8 * chunk_bytes, (compression.level <= 9 ? 32 : 96) * kMebibyte);
}

// Byte 0 of every element, then byte 1 of every element ...; bytes beyond the last whole element stay at the end.
void shuffle_bytes(std::span<const std::byte> in, std::size_t width, std::byte* out) {
  const std::size_t n = in.size() / width;
  for (std::size_t byte = 0; byte < width; ++byte)
    for (std::size_t i = 0; i < n; ++i) out[byte * n + i] = in[i * width + byte];
  std::memcpy(out + n * width, in.data() + n * width, in.size() - n * width);
}

}  // namespace

struct ChunkEncoder::State {
  Compression compression;
  std::vector<std::byte> shuffled;
  std::unique_ptr<libdeflate_compressor, FreeDeflate> deflate;
  std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;
  std::optional<WordDeflater> words;  // gzip:1
  std::optional<LzfPacker> lzf;
};

ChunkEncoder::ChunkEncoder(const Compression& compression, std::size_t chunk_bytes) : state_(std::make_unique<State>()) {
  state_->compression = compression;
  if (compression.shuffle) state_->shuffled.resize(chunk_bytes);
  if (compression.packing == Packing::gzip) state_->deflate.reset(libdeflate_alloc_compressor(compression.level));
  if (compression.packing == Packing::zstd) state_->zstd.reset(ZSTD_createCCtx());
  if (compression.packing == Packing::gzip && compression.level == 1 && !compression.shuffle) state_->words.emplace();
  if (compression.packing == Packing::lzf) state_->lzf.emplace();
  if ((compression.packing == Packing::gzip && !state_->deflate) || (compression.packing == Packing::zstd && !state_->zstd))
    throw resource_error("out-of-memory", "--memory", "no memory for a compressor");
}
ChunkEncoder::~ChunkEncoder() = default;

std::size_t ChunkEncoder::packed_bound(const Compression& compression, std::size_t chunk_bytes) {
  if (compression.packing == Packing::gzip) return libdeflate_zlib_compress_bound(nullptr, chunk_bytes);
  if (compression.packing == Packing::zstd) return ZSTD_compressBound(chunk_bytes);
  if (compression.packing == Packing::lzf) return LzfPacker::packed_bound(chunk_bytes);
  if (compression.packing == Packing::blosc) return chunk_bytes + BLOSC_MAX_OVERHEAD;
  return chunk_bytes;
}

std::size_t ChunkEncoder::scratch_bytes(const Compression& compression, std::size_t chunk_bytes) {
  return (compression.shuffle ? chunk_bytes : 0) + packer_bytes(compression, chunk_bytes);
}

std::size_t ChunkEncoder::encode(std::span<const std::byte> chunk, std::size_t element_bytes, std::span<std::byte> packed) {
  const Compression& how = state_->compression;
  if (how.shuffle && element_bytes > 1) {
    shuffle_bytes(chunk, element_bytes, state_->shuffled.data());
    chunk = std::span<const std::byte>(state_->shuffled).first(chunk.size());
  }
  std::size_t used = 0;
  if (how.packing == Packing::gzip) {
    const bool of_words = (element_bytes == 4 || element_bytes == 8) && chunk.size() % element_bytes == 0;
    if (state_->words && of_words) used = state_->words->pack(chunk, element_bytes, packed);
    if (used == 0) used = libdeflate_zlib_compress(state_->deflate.get(), chunk.data(), chunk.size(), packed.data(), packed.size());
  } else if (how.packing == Packing::zstd) {
    used = ZSTD_compressCCtx(state_->zstd.get(), packed.data(), packed.size(), chunk.data(), chunk.size(), how.level);
    if (ZSTD_isError(used)) used = 0;
  } else if (how.packing == Packing::lzf) {
    used = state_->lzf->pack(chunk, packed);
  } else if (how.packing == Packing::blosc) {
    const int bytes = blosc_compress_ctx(how.level, BLOSC_SHUFFLE, element_bytes, chunk.size(), chunk.data(), packed.data(), packed.size(),
                                         BLOSC_LZ4_COMPNAME, 0, 1);
    used = bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
  } else {
    std::memcpy(packed.data(), chunk.data(), chunk.size());
    used = chunk.size();
  }
  if (used == 0 && !chunk.empty()) throw Error(ErrorKind::internal, "compressor-failed", "chunk", "a chunk could not be compressed");
  return used;
}

}  // namespace quern::io
