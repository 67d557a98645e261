// ChunkSource of a dense matrix stored in tiles. A chunk never spans two bands of tile rows.
#include <algorithm>
#include <atomic>
#include <utility>

#include "io/decode/convert.hpp"
#include "io/source/dense_rows.hpp"
#include "io/source/dense_source.hpp"
#include "io/source/tile_bands.hpp"

namespace quern::io {
namespace {

// A slot's chunk. Whoever claims it does the work: its own decode, or a fetch that needs the band's memory for a later band. So nobody
// ever waits for work that has not begun, whatever order the pipeline calls in.
struct TileChunk final : ChunkBuffer::Pending {
  explicit TileChunk(const FilterPipeline& pipeline) : decoder(pipeline) {}
  enum State : int { idle, waiting, taken, done };
  ChunkDecoder decoder;
  ChunkBuffer* slot = nullptr;
  std::int64_t band = -1;
  std::atomic<int> state{idle};
  std::exception_ptr error;
};

class TiledDenseSource final : public ChunkSource {
 public:
  TiledDenseSource(const MatrixInput& input, RawDataset dataset, const MemoryBudget& budget)
      : shape_(dense_shape(input, dataset)), columns_(input.columns), tiles_(std::move(dataset)), limit_bytes_(budget.limit()) {}

  MatrixShape shape() const override { return shape_; }
  ValueType natural_value_type() const override { return quern::io::natural_value_type(tiles_.dataset().type()); }

  SourcePlan plan(const ChunkTargets& targets) override {
    const RowCost cost{shape_.n_cols, 0, ChunkDecoder::scratch_bytes(tiles_.decoder_pipeline())};
    const std::int64_t wanted = wanted_rows(cost, targets, std::min(tiles_.rows_per_band(), std::max<std::int64_t>(1, shape_.n_rows)));
    const auto choices = tiles_.choices();
    rows_per_chunk_ = 0;
    TileBands::Room room;
    for (const std::int64_t enough :
         {wanted, std::int64_t{1}}) {  // the most comfortable choice that leaves room for the wanted rows, or any
      for (const auto& choice : choices) {
        room = choice;
        rows_per_chunk_ = fitting_rows(wanted, cost, targets, room.bytes(tiles_));
        if (rows_per_chunk_ >= enough) break;
      }
      if (rows_per_chunk_ >= enough) break;
    }
    if (rows_per_chunk_ == 0 && targets.n_slots <= least_slots)
      throw over_budget(
          tiles_.dataset().path(), "decoding one band of its chunks (" + std::to_string(tiles_.rows_per_band()) + " rows) at a time",
          room.bytes(tiles_) + static_cast<std::size_t>(targets.n_slots) * slot_bytes(1, cost, targets), targets, limit_bytes_);
    rows_per_chunk_ = std::max<std::int64_t>(1, rows_per_chunk_);
    tiles_.use(room);
    SourcePlan plan = plan_of(shape_, rows_per_chunk_, cost);
    plan.shared_bytes = room.bytes(tiles_);
    const std::int64_t whole_bands = shape_.n_rows / tiles_.rows_per_band(), rest = shape_.n_rows % tiles_.rows_per_band();
    plan.n_chunks = whole_bands * chunks_of(tiles_.rows_per_band()) + chunks_of(rest);
    return plan;
  }

  std::unique_ptr<ChunkBuffer::Pending> make_pending() const override { return std::make_unique<TileChunk>(tiles_.decoder_pipeline()); }

  void start(std::span<std::byte> shared) override {
    tiles_.start(shared);
    chunks_of_place_.assign(2, {});
    next_row_ = sequence_ = 0;
  }

  bool fetch(ChunkBuffer& slot) override {
    if (next_row_ == shape_.n_rows) return false;
    const std::int64_t band = next_row_ / tiles_.rows_per_band();
    auto& users = users_of(band);
    if (next_row_ % tiles_.rows_per_band() == 0) {
      for (TileChunk* chunk : users)
        if (chunk->band == tiles_.place_of(band).number) finish(*chunk);
      users.clear();
      tiles_.read(band);
    }
    const std::int64_t band_end = std::min(shape_.n_rows, (band + 1) * tiles_.rows_per_band());
    slot.rows = {next_row_, std::min(band_end, next_row_ + rows_per_chunk_)};
    slot.sequence = sequence_++;
    next_row_ = slot.rows.last;
    auto& chunk = static_cast<TileChunk&>(*slot.pending);
    chunk.slot = &slot;
    chunk.band = band;
    chunk.error = nullptr;
    chunk.state = TileChunk::waiting;
    users.push_back(&chunk);
    return true;
  }

  void decode(ChunkBuffer& slot) override {
    auto& chunk = static_cast<TileChunk&>(*slot.pending);
    finish(chunk);
    if (chunk.error) std::rethrow_exception(std::exchange(chunk.error, nullptr));
  }

  std::int64_t bytes_read() const override { return tiles_.bytes_read(); }

 private:
  std::int64_t chunks_of(std::int64_t rows) const { return (rows + rows_per_chunk_ - 1) / rows_per_chunk_; }
  std::vector<TileChunk*>& users_of(std::int64_t band) { return chunks_of_place_[tiles_.place_index(band)]; }

  // Returns when the chunk's rows are in its slot or its error is set: does the work unless another thread is at it.
  void finish(TileChunk& chunk) {
    int expected = TileChunk::waiting;
    if (!chunk.state.compare_exchange_strong(expected, TileChunk::taken)) {
      chunk.state.wait(TileChunk::taken);
      return;
    }
    try {
      fill(chunk);
    } catch (...) {
      chunk.error = std::current_exception();
    }
    chunk.state = TileChunk::done;
    chunk.state.notify_all();
  }

  void fill(TileChunk& chunk) {
    TileBand& band = tiles_.place_of(chunk.band);
    tiles_.decode(band, chunk.decoder);
    ChunkBuffer& slot = *chunk.slot;
    DenseRowWriter writer(tiles_.dataset(), columns_, slot);
    for (std::int64_t row = slot.rows.first; row < slot.rows.last; ++row) {
      for (std::int64_t column = 0; column < tiles_.columns(); column += tiles_.tile_columns()) {
        const auto piece = tiles_.piece(band, row, column);
        writer.add(piece.data(), piece.size() / tiles_.dataset().type().bytes, static_cast<std::size_t>(column));
      }
      writer.end_row();
    }
    writer.finish();
  }

  MatrixShape shape_;
  ColumnMap columns_;
  TileBands tiles_;
  std::size_t limit_bytes_ = 0;
  std::int64_t rows_per_chunk_ = 1, next_row_ = 0, sequence_ = 0;
  std::vector<std::vector<TileChunk*>> chunks_of_place_;  // fetched chunks of the band in each place; a finished one may have moved on
};

}  // namespace

std::unique_ptr<ChunkSource> make_tiled_dense_source(const MatrixInput& input, RawDataset dataset, MemoryBudget& budget) {
  return std::make_unique<TiledDenseSource>(input, std::move(dataset), budget);
}

}  // namespace quern::io
