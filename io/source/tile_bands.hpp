// The stored tiles of a dense matrix, one band of tile rows at a time: each tile is read once and decoded once, by whichever threads need
// the band first.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "io/hdf5/raw_dataset.hpp"

namespace quern::io {

// One decoded (or still to be decoded) band. Rows of a tile follow each other; tiles follow each other from left to right.
struct TileBand {
  struct Tile {
    std::size_t number = 0;               // from the left
    std::span<const std::byte> stored{};  // empty: not allocated, holds the fill value
    std::uint32_t filter_mask = 0;
  };
  std::int64_t number = -1;
  std::span<std::byte> decoded, stored;
  std::vector<Tile> waiting;  // tiles to decode
  std::atomic<int> next{0}, done{0};
  std::mutex error_mutex;
  std::exception_ptr error;  // the first of this band's tiles
};

class TileBands {
 public:
  // The shape of the tiles, for the plan. Where HDF5 itself must decode, a band is one tile as wide as the matrix.
  explicit TileBands(RawDataset dataset);

  struct Room {
    int n_bands = 0;               // held at once
    std::size_t stored_bytes = 0;  // for stored tiles of each band; where they do not fit, they are decoded as they are read
    std::size_t bytes(const TileBands& tiles) const;
  };
  // From comfortable to least.
  std::vector<Room> choices() const;
  void use(const Room& room) { room_ = room; }
  void start(std::span<std::byte> memory);  // of use()d Room::bytes

  const RawDataset& dataset() const { return dataset_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  std::int64_t rows_per_band() const { return tile_rows_; }
  // Where a band goes: reuses the memory of the band n_bands before, with which everybody must have finished.
  std::size_t place_index(std::int64_t number) const { return static_cast<std::size_t>(number) % bands_.size(); }
  TileBand& place_of(std::int64_t number) { return *bands_[place_index(number)]; }
  // Serial, calls HDF5: reads the stored tiles.
  void read(std::int64_t number);
  // Thread-safe: returns when every tile of the band is decoded; rethrows the first error. Never waits for a thread that waits.
  void decode(TileBand& band, ChunkDecoder& decoder) const;
  // The part of a matrix row within the tile that holds `column`: from that tile's first column to its last or the matrix's.
  std::span<const std::byte> piece(const TileBand& band, std::int64_t row, std::int64_t column) const;
  std::int64_t tile_columns() const { return tile_columns_; }
  FilterPipeline decoder_pipeline() const;  // of the decoders that decode() is given
  std::int64_t bytes_read() const { return bytes_read_; }

 private:
  std::size_t element_bytes() const { return dataset_.type().bytes; }
  std::size_t tile_bytes() const;
  std::size_t tiles_across() const;
  std::size_t band_bytes() const;
  std::size_t largest_stored_tile() const;
  void read_tile(TileBand& band, std::size_t tile, std::size_t& used);
  void read_through_library(TileBand& band);
  void decode_tile(const TileBand& band, const TileBand::Tile& tile, ChunkDecoder& decoder) const;

  RawDataset dataset_;
  bool through_library_ = false, stored_as_is_ = false;
  std::int64_t rows_ = 0, columns_ = 0, tile_rows_ = 0, tile_columns_ = 0;
  Room room_;
  std::vector<std::unique_ptr<TileBand>> bands_;
  std::unique_ptr<ChunkDecoder> reader_decoder_;  // of the reading thread, for tiles that find no room
  std::int64_t bytes_read_ = 0;
};

}  // namespace quern::io
