#include "io/source/tile_bands.hpp"

#include <algorithm>
#include <cstring>

#include "host/core/memory.hpp"

namespace quern::io {
namespace {

constexpr std::size_t comfortable_tile = std::size_t{1} << 20;  // of bands cut by us

std::int64_t extent_of(const std::vector<hsize_t>& dims, std::size_t i) { return i < dims.size() ? static_cast<std::int64_t>(dims[i]) : 1; }

}  // namespace

TileBands::TileBands(RawDataset dataset)
    : dataset_(std::move(dataset)), rows_(extent_of(dataset_.dims(), 0)), columns_(extent_of(dataset_.dims(), 1)) {
  // Unfiltered chunks larger than a band of ours would be: HDF5 reads parts of them without holding the whole.
  const bool huge_plain_chunks =
      dataset_.access() == Access::chunks && dataset_.filters().steps.empty() && dataset_.filters().chunk_bytes > 16 * comfortable_tile;
  through_library_ = dataset_.access() != Access::chunks || huge_plain_chunks;
  stored_as_is_ = !through_library_ && dataset_.filters().steps.empty();
  tile_columns_ = through_library_ ? columns_ : extent_of(dataset_.chunk_dims(), 1);
  const auto row_bytes = std::max<std::size_t>(1, static_cast<std::size_t>(columns_) * element_bytes());
  const bool cut_by_us = through_library_ && (dataset_.chunk_dims().empty() || huge_plain_chunks);
  tile_rows_ =
      cut_by_us ? static_cast<std::int64_t>(std::max<std::size_t>(1, comfortable_tile / row_bytes)) : extent_of(dataset_.chunk_dims(), 0);
  tile_rows_ = std::max<std::int64_t>(1, through_library_ ? std::min(tile_rows_, rows_) : tile_rows_);
}

std::size_t TileBands::tile_bytes() const {
  return through_library_ ? static_cast<std::size_t>(tile_rows_ * columns_) * element_bytes() : dataset_.filters().chunk_bytes;
}
std::size_t TileBands::tiles_across() const {
  return columns_ == 0 ? 0 : static_cast<std::size_t>((columns_ - 1) / std::max<std::int64_t>(1, tile_columns_) + 1);
}
std::size_t TileBands::band_bytes() const {
  const std::size_t bytes = tile_bytes() * tiles_across();  // at most 2^32 by 2^31
  if (bytes > SIZE_MAX / 16) throw input_error("bad-shape", dataset_.path(), "has an impossible chunk shape");
  return bytes;
}
std::size_t TileBands::largest_stored_tile() const { return tile_bytes() + tile_bytes() / 64 + 4096; }

std::size_t TileBands::Room::bytes(const TileBands& tiles) const {
  const std::size_t fixed = tiles.stored_as_is_ || tiles.through_library_ ? 0 : ChunkDecoder::scratch_bytes(tiles.dataset_.filters());
  const std::size_t notes = tiles.tiles_across() * sizeof(TileBand::Tile);
  return static_cast<std::size_t>(n_bands) * (aligned(tiles.band_bytes()) + aligned(stored_bytes) + notes) + fixed;
}

std::vector<TileBands::Room> TileBands::choices() const {
  if (through_library_ || stored_as_is_) return {{2, 0}, {1, 0}};
  const std::size_t one = largest_stored_tile(), all = tiles_across() * one;
  const std::size_t half = std::max(one, all / 2), quarter = std::max(one, all / 4);
  return {{2, all}, {2, half}, {1, all}, {1, half}, {1, quarter}, {1, one}};
}

FilterPipeline TileBands::decoder_pipeline() const {
  if (through_library_) return {};
  return dataset_.filters();
}

void TileBands::start(std::span<std::byte> memory) {
  bands_.clear();
  for (int i = 0; i < room_.n_bands; ++i) {
    auto band = std::make_unique<TileBand>();
    band->decoded = memory.first(band_bytes());
    memory = memory.subspan(aligned(band_bytes()));
    band->stored = memory.first(room_.stored_bytes);
    memory = memory.subspan(aligned(room_.stored_bytes));
    band->waiting.reserve(tiles_across());
    bands_.push_back(std::move(band));
  }
  if (!through_library_ && !stored_as_is_) reader_decoder_ = std::make_unique<ChunkDecoder>(dataset_.filters());
}

void TileBands::read(std::int64_t number) {
  TileBand& band = place_of(number);
  band.number = number;
  band.waiting.clear();
  band.next = band.done = 0;
  band.error = nullptr;
  if (through_library_) return read_through_library(band);
  std::size_t used = 0;
  for (std::size_t tile = 0; tile < tiles_across(); ++tile) read_tile(band, tile, used);
}

void TileBands::read_through_library(TileBand& band) {
  const std::int64_t first = band.number * tile_rows_, n_rows = std::min(tile_rows_, rows_ - first);
  if (columns_ == 0 || n_rows == 0) return;
  const hsize_t start[2] = {static_cast<hsize_t>(first), 0}, count[2] = {static_cast<hsize_t>(n_rows), static_cast<hsize_t>(columns_)};
  const std::size_t rank = dataset_.dims().size();
  dataset_.read_block({start, rank}, {count, rank}, band.decoded.data());
  bytes_read_ += n_rows * columns_ * static_cast<std::int64_t>(element_bytes());
}

void TileBands::read_tile(TileBand& band, std::size_t tile, std::size_t& used) {
  const hsize_t corner[2] = {static_cast<hsize_t>(band.number * tile_rows_),
                             static_cast<hsize_t>(tile) * static_cast<hsize_t>(tile_columns_)};
  const std::span<const hsize_t> offset(corner, dataset_.dims().size());
  const std::size_t bytes = dataset_.stored_chunk_bytes(offset);
  bytes_read_ += static_cast<std::int64_t>(bytes);
  if (bytes > (stored_as_is_ ? tile_bytes() : room_.stored_bytes))
    throw input_error("corrupt-chunk", dataset_.path(),
                      "a stored chunk takes " + std::to_string(bytes) + " bytes, for " + std::to_string(tile_bytes()) + " bytes of data",
                      "the file is damaged: copy or download it again");
  if (stored_as_is_ && bytes != 0) {
    dataset_.read_chunk(offset, band.decoded.subspan(tile * tile_bytes(), bytes));
    return;
  }
  if (bytes > room_.stored_bytes - used && bytes != 0) {  // make room
    decode(band, *reader_decoder_);
    band.waiting.clear();
    band.next = band.done = 0;
    used = 0;
  }
  const std::span<std::byte> stored = bytes == 0 ? std::span<std::byte>{} : band.stored.subspan(used, bytes);
  const std::uint32_t mask = bytes == 0 ? 0 : dataset_.read_chunk(offset, stored);
  used += bytes;
  band.waiting.push_back({tile, stored, mask});
}

void TileBands::decode(TileBand& band, ChunkDecoder& decoder) const {
  const int n = static_cast<int>(band.waiting.size());
  for (int i = band.next.fetch_add(1); i < n; i = band.next.fetch_add(1)) {
    try {
      decode_tile(band, band.waiting[static_cast<std::size_t>(i)], decoder);
    } catch (...) {
      const std::scoped_lock lock(band.error_mutex);
      if (!band.error) band.error = std::current_exception();
    }
    if (band.done.fetch_add(1) + 1 == n) band.done.notify_all();
  }
  for (int done = band.done.load(); done < n; done = band.done.load()) band.done.wait(done);
  const std::scoped_lock lock(band.error_mutex);
  if (band.error) std::rethrow_exception(band.error);
}

void TileBands::decode_tile(const TileBand& band, const TileBand::Tile& tile, ChunkDecoder& decoder) const {
  const std::span<std::byte> out = band.decoded.subspan(tile.number * tile_bytes(), tile_bytes());
  if (!tile.stored.empty()) return decoder.decode(tile.stored, tile.filter_mask, out, dataset_.path());
  const auto fill = dataset_.fill_value();
  for (std::size_t at = 0; at < out.size(); at += fill.size()) std::memcpy(out.data() + at, fill.data(), fill.size());
}

std::span<const std::byte> TileBands::piece(const TileBand& band, std::int64_t row, std::int64_t column) const {
  const auto width = std::max<std::int64_t>(1, tile_columns_);
  const auto tile = static_cast<std::size_t>(column / width);
  const auto row_in_tile = static_cast<std::size_t>(row - band.number * tile_rows_);
  const auto n = static_cast<std::size_t>(std::min(width, columns_ - static_cast<std::int64_t>(tile) * width));
  const std::size_t at = tile * tile_bytes() + row_in_tile * static_cast<std::size_t>(width) * element_bytes();
  return band.decoded.subspan(at, n * element_bytes());
}

}  // namespace quern::io
