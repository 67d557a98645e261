// One piece of the stream: some stored chunks, and the rows they need.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "datasets/matrix_stream.hpp"

namespace quern::datasets {

// Elements first .. first + length of the matrix; they start `skip` elements into row first_row.
struct SegmentPlace {
  std::int64_t first = 0, length = 0;
  std::int64_t first_row = 0, last_row = 0;  // last excluded; rows that start in the segment are its own
  std::int64_t skip = 0;
};

// Cuts the elements into segments of whole chunks, walking the cells once. Serial.
class SegmentPlanner {
 public:
  SegmentPlanner(const CellModel& model, std::int64_t n_cells, const io::ChunkedShape& shape, std::int64_t chunks_per_segment);
  bool next(SegmentPlace& place);  // false at the end

 private:
  const CellModel& model_;
  std::int64_t n_cells_, length_, segment_length_;
  std::int64_t element_ = 0, row_ = 0, skip_ = 0;
};

// Buffers and tools for one segment at a time. Allocates in the constructor only.
class Segment {
 public:
  Segment(const GenerateSpec& spec, const CellModel& model, const GeneCatalog& genes, const MatrixTargets& targets,
          const io::ChunkedShape& shape, std::int64_t chunks_per_segment);
  static std::size_t bytes(const GenerateSpec& spec, const io::ChunkedShape& shape, bool wide_indices, std::int64_t chunks_per_segment);

  SegmentPlace place;
  // Concurrent with other segments: makes the rows of `place` (totals of the rows that start in it go to of_cell) and packs its chunks.
  void fill(std::span<RowSampler::Totals> of_cell);
  // Serial, in order.
  void write(const MatrixTargets& targets);
  std::span<const std::int64_t> cells_of_gene() const { return cells_of_gene_; }

 private:
  struct Stream {  // one dataset's part of the segment
    std::size_t element_bytes = 4;
    std::vector<std::byte> plain, packed;
    std::vector<std::size_t> packed_sizes;
  };
  static Stream make_stream(const io::Compression& compression, const io::ChunkedShape& shape, std::size_t element_bytes,
                            std::int64_t chunks);
  void make_row(std::int64_t row, const Cell& cell, std::span<RowSampler::Totals> of_cell);
  void copy_row(std::int64_t from, std::int64_t n, std::uint32_t total);
  void pack(Stream& stream);
  void write_stream(const Stream& stream, std::int64_t chunk, io::ChunkedDataset& dataset) const;

  const CellModel& model_;
  io::ChunkedShape shape_;
  bool float_counts_, normalized_;
  RowSampler sampler_;
  io::ChunkEncoder encoder_;
  Stream counts_, indices_, values_;
  std::vector<std::int32_t> row_columns_;
  std::vector<std::uint32_t> row_counts_;
  std::vector<std::int64_t> cells_of_gene_;
  std::int64_t filled_ = 0;
};

}  // namespace quern::datasets
