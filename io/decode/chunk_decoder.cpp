#include "io/decode/chunk_decoder.hpp"

#include <libdeflate.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "host/core/error.hpp"
#include "io/decode/codecs.hpp"
#include "io/decode/corrupt_chunk.hpp"

namespace quern::io {
namespace {

struct CloseDeflate {
  void operator()(libdeflate_decompressor* d) const { libdeflate_free_decompressor(d); }
};
struct CloseZstd {
  void operator()(ZSTD_DCtx* d) const { ZSTD_freeDCtx(d); }
};

bool has(const FilterPipeline& pipeline, FilterId id) {
  return std::any_of(pipeline.steps.begin(), pipeline.steps.end(), [&](const FilterStep& s) { return s.id == static_cast<int>(id); });
}

// Most bytes that a step can have produced from n; a compressor that would need more fails or leaves its input as it is.
std::size_t largest_output(const FilterStep& step, std::size_t n) {
  switch (static_cast<FilterId>(step.id)) {
    case FilterId::shuffle:
      return n;
    case FilterId::fletcher32:
      return n + 4;
    default:
      return n + n / 64 + 4096;
  }
}

// Most bytes between any two steps; 0 when a single step leads straight to the chunk.
std::size_t largest_between(const FilterPipeline& pipeline) {
  if (pipeline.steps.size() < 2) return has(pipeline, FilterId::fletcher32) ? pipeline.chunk_bytes : 0;
  std::size_t largest = pipeline.chunk_bytes, n = pipeline.chunk_bytes;
  for (std::size_t i = 0; i + 1 < pipeline.steps.size(); ++i) {
    n = largest_output(pipeline.steps[i], n);
    largest = std::max(largest, n);
  }
  return largest;
}

// Buffers that hold what is between steps: each step reads one and writes the other or the chunk.
std::size_t buffers_needed(const FilterPipeline& pipeline) {
  const auto moving = std::count_if(pipeline.steps.begin(), pipeline.steps.end(),
                                    [](const FilterStep& s) { return s.id != static_cast<int>(FilterId::fletcher32); });
  const bool ends_in_checksum = !pipeline.steps.empty() && pipeline.steps.front().id == static_cast<int>(FilterId::fletcher32);
  const auto between = std::max<std::ptrdiff_t>(0, moving - (ends_in_checksum ? 0 : 1));
  return static_cast<std::size_t>(std::min<std::ptrdiff_t>(2, between));
}

std::size_t element_bytes_of(const FilterStep& shuffle, const FilterPipeline& pipeline) {
  return shuffle.params.empty() ? pipeline.element_bytes : shuffle.params.front();
}

std::uint32_t little_endian_32(std::span<const std::byte> bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  return value;
}

std::span<const std::byte> without_checksum(std::span<const std::byte> in, const std::string& object) {
  if (in.size() < 4)
    throw corrupt_chunk(object, "a stored chunk of " + std::to_string(in.size()) + " bytes has no room for its fletcher32 checksum");
  const auto data = in.first(in.size() - 4);
  if (!fletcher32_matches(data, little_endian_32(in.last(4))))
    throw input_error("bad-checksum", object, "a stored chunk does not match its fletcher32 checksum",
                      "the file is damaged: copy or download it again");
  return data;
}

}  // namespace

struct ChunkDecoder::State {
  FilterPipeline pipeline;
  std::unique_ptr<libdeflate_decompressor, CloseDeflate> inflater;
  std::unique_ptr<ZSTD_DCtx, CloseZstd> zstd;
  std::vector<std::byte> between[2];

  std::size_t inflate(std::span<const std::byte> in, std::span<std::byte> out) {
    std::size_t taken = in.size(), written = out.size();  // which only success sets
    const auto result = libdeflate_zlib_decompress_ex(inflater.get(), in.data(), in.size(), out.data(), out.size(), &taken, &written);
    return result == LIBDEFLATE_SUCCESS && taken == in.size() ? written : undecodable;
  }
  std::size_t unzstd(std::span<const std::byte> in, std::span<std::byte> out) {
    return ZSTD_decompressDCtx(zstd.get(), out.data(), out.size(), in.data(), in.size());  // an error: a huge number
  }
  // Undoes one step other than fletcher32; bytes written, or more than `out` holds when it cannot be done.
  std::size_t undo(const FilterStep& step, std::span<const std::byte> in, std::span<std::byte> out) {
    switch (static_cast<FilterId>(step.id)) {
      case FilterId::deflate:
        return inflate(in, out);
      case FilterId::zstd:
        return unzstd(in, out);
      case FilterId::lzf:
        return decode_lzf(in, out);
      case FilterId::lz4:
        return decode_lz4(in, out);
      case FilterId::blosc:
        return decode_blosc(in, out);
      case FilterId::shuffle:
        if (in.size() > out.size()) return undecodable;
        unshuffle(in, out.first(in.size()), element_bytes_of(step, pipeline));
        return in.size();
      case FilterId::fletcher32:
        break;
    }
    return undecodable;
  }
};

bool can_decode(const FilterPipeline& pipeline) {
  return std::all_of(pipeline.steps.begin(), pipeline.steps.end(), [&](const FilterStep& step) {
    switch (static_cast<FilterId>(step.id)) {
      case FilterId::shuffle:
        return element_bytes_of(step, pipeline) > 0;
      case FilterId::deflate:
      case FilterId::fletcher32:
      case FilterId::lzf:
      case FilterId::blosc:
      case FilterId::lz4:
      case FilterId::zstd:
        return true;
    }
    return false;
  });
}

ChunkDecoder::ChunkDecoder(const FilterPipeline& pipeline) : state_(std::make_unique<State>()) {
  if (!can_decode(pipeline)) throw Error(ErrorKind::internal, "undecodable-pipeline", "ChunkDecoder", "made for a pipeline it cannot undo");
  state_->pipeline = pipeline;
  if (has(pipeline, FilterId::deflate)) state_->inflater.reset(libdeflate_alloc_decompressor());
  if (has(pipeline, FilterId::zstd)) state_->zstd.reset(ZSTD_createDCtx());
  if ((has(pipeline, FilterId::deflate) && !state_->inflater) || (has(pipeline, FilterId::zstd) && !state_->zstd)) throw std::bad_alloc();
  for (std::size_t i = 0; i < buffers_needed(pipeline); ++i) state_->between[i].resize(largest_between(pipeline));
}

ChunkDecoder::~ChunkDecoder() = default;

std::size_t ChunkDecoder::scratch_bytes(const FilterPipeline& pipeline) {
  constexpr std::size_t inflater_bytes = 16 << 10, zstd_bytes = 192 << 10;
  std::size_t bytes = buffers_needed(pipeline) * largest_between(pipeline);
  if (has(pipeline, FilterId::deflate)) bytes += inflater_bytes;
  if (has(pipeline, FilterId::zstd)) bytes += zstd_bytes;
  if (has(pipeline, FilterId::blosc)) bytes += 3 * pipeline.chunk_bytes;  // its blocks, at most the chunk, while it decodes
  return bytes;
}

void ChunkDecoder::decode(std::span<const std::byte> stored, std::uint32_t filter_mask, std::span<std::byte> out,
                          const std::string& object) {
  const auto& steps = state_->pipeline.steps;
  const auto applied = [&](std::size_t i) { return i >= 32 || (filter_mask >> i & 1U) == 0; };
  const auto first = [&] {  // the step that is undone last, straight into `out`
    std::size_t i = 0;
    while (i < steps.size() && !applied(i)) ++i;
    return i;
  }();
  out = out.first(state_->pipeline.chunk_bytes);
  std::span<const std::byte> current = stored;
  std::size_t next_buffer = 0;
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (!applied(i)) continue;
    if (steps[i].id == static_cast<int>(FilterId::fletcher32)) {
      current = without_checksum(current, object);
      continue;
    }
    const std::span<std::byte> target = i == first ? out : std::span<std::byte>(state_->between[next_buffer++ % 2]);
    const std::size_t written = state_->undo(steps[i], current, target);
    if (written > target.size())
      throw corrupt_chunk(object, "a stored chunk of " + std::to_string(stored.size()) + " bytes does not decode (" +
                                      filter_name(steps[i].id) + ") to the " + std::to_string(out.size()) + " bytes of a chunk");
    current = target.first(written);
  }
  if (current.data() == out.data() && current.size() == out.size()) return;
  if (current.size() != out.size())
    throw corrupt_chunk(object,
                        "a stored chunk holds " + std::to_string(current.size()) + " bytes, expected " + std::to_string(out.size()));
  std::memcpy(out.data(), current.data(), out.size());
}

}  // namespace quern::io
