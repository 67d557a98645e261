#include "datasets/matrix_segment.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "datasets/portable_math.hpp"

namespace quern::datasets {
namespace {

constexpr std::size_t kWidest = 8;

// log1p of counts per million of one cell; each small count's value is worked out once.
class LogCpm {
 public:
  explicit LogCpm(std::uint32_t total) : scale_(1e6 / total) { known_.fill(-1.0F); }
  float operator()(std::uint32_t count) {
    if (count >= known_.size()) return compute(count);
    float& value = known_[count];
    if (value < 0) value = compute(count);
    return value;
  }

 private:
  float compute(std::uint32_t count) const { return static_cast<float>(portable_log(1.0 + count * scale_)); }
  double scale_;
  std::array<float, 64> known_{};
};

template <class To, class From>
void convert(const From* from, std::int64_t n, std::byte* to) {
  for (std::int64_t i = 0; i < n; ++i) {
    const To value = static_cast<To>(from[i]);
    std::memcpy(to + static_cast<std::size_t>(i) * sizeof(To), &value, sizeof(To));
  }
}

std::size_t longest_row(const GenerateSpec& spec) { return static_cast<std::size_t>(spec.n_genes) + 1; }

}  // namespace

SegmentPlanner::SegmentPlanner(const CellModel& model, std::int64_t n_cells, const io::ChunkedShape& shape, std::int64_t chunks_per_segment)
    : model_(model), n_cells_(n_cells), length_(shape.length), segment_length_(chunks_per_segment * shape.chunk_length) {}

bool SegmentPlanner::next(SegmentPlace& place) {
  if (element_ >= length_) return false;
  place = {element_, std::min(segment_length_, length_ - element_), row_, row_, skip_};
  std::int64_t left = place.length;
  while (left > 0 && row_ < n_cells_) {
    const std::int64_t here = model_.cell(row_).n_genes - skip_;
    place.last_row = row_ + 1;
    if (here > left) {  // the next segment goes on in this row
      skip_ += left;
      left = 0;
    } else {
      left -= here;
      skip_ = 0;
      ++row_;
    }
  }
  element_ += place.length;
  return true;
}

Segment::Segment(const GenerateSpec& spec, const CellModel& model, const GeneCatalog& genes, const MatrixTargets& targets,
                 const io::ChunkedShape& shape, std::int64_t chunks_per_segment)
    : model_(model),
      shape_(shape),
      float_counts_(targets.float_counts),
      normalized_(targets.normalized != nullptr),
      sampler_(model, genes),
      encoder_(spec.compression, static_cast<std::size_t>(shape.chunk_length) * kWidest),
      counts_(make_stream(spec.compression, shape, 4, chunks_per_segment)),
      indices_(make_stream(spec.compression, shape, targets.wide_indices ? 8 : 4, chunks_per_segment)),
      values_(normalized_ ? make_stream(spec.compression, shape, 4, chunks_per_segment) : Stream{}),
      row_columns_(longest_row(spec)),
      row_counts_(longest_row(spec)),
      cells_of_gene_(genes.size()) {}

Segment::Stream Segment::make_stream(const io::Compression& compression, const io::ChunkedShape& shape, std::size_t element_bytes,
                                     std::int64_t chunks) {
  const auto n = static_cast<std::size_t>(chunks);
  const std::size_t chunk_bytes = static_cast<std::size_t>(shape.chunk_length) * element_bytes;
  Stream stream;
  stream.element_bytes = element_bytes;
  stream.plain.resize(n * chunk_bytes);
  stream.packed.resize(n * io::ChunkEncoder::packed_bound(compression, chunk_bytes));
  stream.packed_sizes.resize(n);
  return stream;
}

std::size_t Segment::bytes(const GenerateSpec& spec, const io::ChunkedShape& shape, bool wide_indices, std::int64_t chunks_per_segment) {
  std::size_t total = io::ChunkEncoder::scratch_bytes(spec.compression, static_cast<std::size_t>(shape.chunk_length) * kWidest);
  for (const std::size_t width : {std::size_t{4}, wide_indices ? std::size_t{8} : std::size_t{4}, spec.normalized ? std::size_t{4} : 0}) {
    const std::size_t chunk_bytes = static_cast<std::size_t>(shape.chunk_length) * width;
    if (width > 0)
      total += static_cast<std::size_t>(chunks_per_segment) * (chunk_bytes + io::ChunkEncoder::packed_bound(spec.compression, chunk_bytes));
  }
  const auto n_genes = static_cast<std::size_t>(spec.n_genes);
  return total + RowSampler::bytes(n_genes) + longest_row(spec) * 8 + n_genes * 8;
}

void Segment::fill(std::span<RowSampler::Totals> of_cell) {
  filled_ = 0;
  for (std::int64_t row = place.first_row; row < place.last_row; ++row) make_row(row, model_.cell(row), of_cell);
  pack(counts_);
  pack(indices_);
  if (normalized_) pack(values_);
}

void Segment::make_row(std::int64_t row, const Cell& cell, std::span<RowSampler::Totals> of_cell) {
  const RowSampler::Totals totals = sampler_.sample(row, cell, row_columns_.data(), row_counts_.data());
  const std::int64_t skipped = row == place.first_row ? place.skip : 0;
  if (skipped == 0) {
    of_cell[static_cast<std::size_t>(row)] = totals;
    for (std::int64_t i = 0; i < cell.n_genes; ++i) ++cells_of_gene_[static_cast<std::size_t>(row_columns_[static_cast<std::size_t>(i)])];
  }
  copy_row(skipped, std::min(cell.n_genes - skipped, place.length - filled_), totals.counts);
}

void Segment::copy_row(std::int64_t from, std::int64_t n, std::uint32_t total) {
  if (n <= 0) return;
  const auto at = static_cast<std::size_t>(filled_);
  const std::int32_t* columns = row_columns_.data() + from;
  const std::uint32_t* counts = row_counts_.data() + from;
  std::byte* to = counts_.plain.data() + at * 4;
  float_counts_ ? convert<float>(counts, n, to) : convert<std::int32_t>(counts, n, to);
  to = indices_.plain.data() + at * indices_.element_bytes;
  indices_.element_bytes == 8 ? convert<std::int64_t>(columns, n, to) : convert<std::int32_t>(columns, n, to);
  if (normalized_) {
    LogCpm log_cpm(total);
    to = values_.plain.data() + at * 4;
    for (std::int64_t i = 0; i < n; ++i) {
      const float value = log_cpm(counts[i]);
      std::memcpy(to + i * 4, &value, 4);
    }
  }
  filled_ += n;
}

void Segment::pack(Stream& stream) {
  const std::size_t chunk_bytes = static_cast<std::size_t>(shape_.chunk_length) * stream.element_bytes;
  const std::size_t bound = stream.packed.size() / stream.packed_sizes.size();
  const std::size_t used = static_cast<std::size_t>(place.length) * stream.element_bytes;
  const std::size_t n_chunks = (used + chunk_bytes - 1) / chunk_bytes;
  std::fill(stream.plain.begin() + static_cast<std::ptrdiff_t>(used),
            stream.plain.begin() + static_cast<std::ptrdiff_t>(n_chunks * chunk_bytes), std::byte{0});
  for (std::size_t i = 0; i < n_chunks; ++i) {
    const auto chunk = std::span<const std::byte>(stream.plain).subspan(i * chunk_bytes, chunk_bytes);
    stream.packed_sizes[i] = encoder_.encode(chunk, stream.element_bytes, std::span(stream.packed).subspan(i * bound, bound));
  }
}

void Segment::write_stream(const Stream& stream, std::int64_t chunk, io::ChunkedDataset& dataset) const {
  const std::size_t bound = stream.packed.size() / stream.packed_sizes.size();
  const auto i = static_cast<std::size_t>(chunk);
  dataset.write_chunk(place.first / shape_.chunk_length + chunk,
                      std::span<const std::byte>(stream.packed).subspan(i * bound, stream.packed_sizes[i]));
}

void Segment::write(const MatrixTargets& targets) {
  const std::int64_t n_chunks = (place.length + shape_.chunk_length - 1) / shape_.chunk_length;
  for (std::int64_t chunk = 0; chunk < n_chunks; ++chunk) {  // the order in the file does not depend on the segments
    for (io::ChunkedDataset* dataset : targets.indices) write_stream(indices_, chunk, *dataset);
    for (io::ChunkedDataset* dataset : targets.counts) write_stream(counts_, chunk, *dataset);
    if (targets.normalized) write_stream(values_, chunk, *targets.normalized);
  }
}

}  // namespace quern::datasets
