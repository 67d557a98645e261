#include "io/source/element_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/core/memory.hpp"
#include "io/source/element_stream_types.hpp"

namespace quern::io {

ElementStream::ElementStream(RawDataset dataset, const std::string& file_path, std::int64_t used)
    : dataset_(std::move(dataset)), file_(file_path, dataset_.path()), used_(used) {}
ElementStream::~ElementStream() = default;

// ---- planning

void ElementStream::begin_plan(int n_slots, std::int64_t chunk_nnz, std::size_t budget_bytes) {
  n_slots_ = n_slots;
  chunk_nnz_ = chunk_nnz;
  budget_bytes_ = budget_bytes;
  planned_chunk_ = -1;
  max_stored_chunk_ = max_range_ = max_pieces_ = max_staged_ = 0;
  choose_mode();
}

Error ElementStream::chunk_too_large() const {
  const std::size_t bytes = dataset_.filters().chunk_bytes;
  return resource_error("chunk-too-large", dataset_.path(),
                        "is stored in chunks of " + size_text(bytes) + ", which its filters only decode as a whole; " +
                            size_text(budget_bytes_) + " of the budget are left",
                        "give more --memory: three such chunks must fit into what is left");
}

// Chunks so large that the pool of shared ones would take much memory are inflated piecewise where the filters allow it.
void ElementStream::choose_mode() {
  switch (dataset_.access()) {
    case Access::library:  // HDF5 decodes whole chunks, too
      if (dataset_.filters().chunk_bytes > budget_bytes_ / 3) throw chunk_too_large();
      mode_ = Mode::library;
      return;
    case Access::contiguous:
      mode_ = Mode::contiguous;
      return;
    case Access::chunks:
      break;
  }
  mode_ = Mode::chunks;
  const std::int64_t n_chunks = used_ == 0 ? 0 : (used_ - 1) / chunk_length() + 1;
  // n_slots consecutive ranges have n_slots + 1 ends, and lie in so many chunks.
  n_shared_ = static_cast<int>(std::min<std::int64_t>({n_slots_ + 1, n_slots_ * chunk_nnz_ / chunk_length() + 2, n_chunks}));
  const std::size_t comfortable = std::min<std::size_t>(budget_bytes_ / 8, 64 << 20);
  const std::size_t chunk_bytes = dataset_.filters().chunk_bytes;
  sizes_are_bounded_ = chunk_bytes >= std::size_t{16} << 10 && chunk_bytes <= std::size_t{1} << 20;
  if (chunk_bytes <= comfortable) return;
  const auto& steps = dataset_.filters().steps;
  if (steps.empty())
    mode_ = Mode::library;
  else if (steps.size() == 1 && steps[0].id == static_cast<int>(FilterId::deflate))
    mode_ = Mode::streamed;
  else if (chunk_bytes > budget_bytes_ / 3)
    throw chunk_too_large();
}

// No filter lets a chunk grow by more than this. Asking HDF5 for every chunk's size costs a look-up each, which is worth it
// for small chunks, of which the bound says little, and for large ones, which are few.
std::size_t ElementStream::stored_bound() const {
  const std::size_t chunk_bytes = dataset_.filters().chunk_bytes;
  return chunk_bytes + chunk_bytes / 16 + 1024;
}

Error ElementStream::stored_chunk_too_large(std::size_t bytes) const {
  if (!sizes_are_bounded_)
    return input_error("changed", dataset_.path(), "a stored chunk grew while the file was read",
                       "do not write to the file while it is read");
  return input_error("corrupt-chunk", dataset_.path(),
                     "a stored chunk takes " + std::to_string(bytes) + " bytes, more than its " +
                         std::to_string(dataset_.filters().chunk_bytes) + " bytes of data could",
                     "the file is damaged");
}

void ElementStream::plan_range(Range range) {
  const auto n = static_cast<std::size_t>(range.last - range.first);
  max_range_ = std::max(max_range_, n);
  if (mode_ != Mode::chunks || n == 0) return;
  const std::int64_t first = range.first / chunk_length(), last = (range.last - 1) / chunk_length();
  std::size_t staged = 0;
  for (std::int64_t chunk = first; chunk <= last; ++chunk) {
    const hsize_t offset = static_cast<hsize_t>(chunk * chunk_length());
    if (chunk == planned_chunk_) continue;  // counted in the range before, and shared with it
    planned_chunk_ = chunk;
    const std::size_t bytes = sizes_are_bounded_ ? stored_bound() : dataset_.stored_chunk_bytes({&offset, 1});
    max_stored_chunk_ = std::max(max_stored_chunk_, bytes);
    staged += bytes;
  }
  max_pieces_ = std::max(max_pieces_, static_cast<std::size_t>(last - first + 1));
  max_staged_ = std::max(max_staged_, staged);
}

ElementStream::Needs ElementStream::end_plan() {
  Needs needs;
  switch (mode_) {
    case Mode::chunks:
      scratch_bytes_ = dataset_.filters().chunk_bytes;
      needs.pending_bytes = ChunkDecoder::scratch_bytes(dataset_.filters()) + max_pieces_ * sizeof(Piece);
      needs.shared_bytes = static_cast<std::size_t>(n_shared_) * (dataset_.filters().chunk_bytes + max_stored_chunk_);
      break;
    case Mode::streamed:
      scratch_bytes_ = max_range_ * element_bytes();
      needs.shared_bytes = stored_chunk_read_bytes;
      break;
    case Mode::contiguous:
      scratch_bytes_ = contiguous_block_bytes;
      break;
    case Mode::library:
      scratch_bytes_ = max_range_ * element_bytes();
      break;
  }
  needs.staging_bytes = scratch_bytes_ + max_staged_;
  return needs;
}

std::unique_ptr<ElementStream::Pending> ElementStream::make_pending() const {
  auto pending = std::make_unique<Pending>();
  if (mode_ == Mode::chunks) {
    pending->pieces.reserve(max_pieces_);
    pending->decoder = std::make_unique<ChunkDecoder>(dataset_.filters());
  }
  return pending;
}

// ---- a pass

void ElementStream::start(std::span<std::byte> shared) {
  carry_ = nullptr;
  shared_.clear();
  if (mode_ == Mode::streamed) start_streaming(shared.subspan(0, stored_chunk_read_bytes));
  if (mode_ != Mode::chunks) return;
  const std::size_t raw = dataset_.filters().chunk_bytes;
  for (int i = 0; i < n_shared_; ++i) {
    auto chunk = std::make_unique<SharedChunk>();
    chunk->raw = shared.subspan(0, raw);
    chunk->stored = shared.subspan(raw, max_stored_chunk_);
    shared = shared.subspan(raw + max_stored_chunk_);
    shared_.push_back(std::move(chunk));
  }
}

void ElementStream::fetch(Range range, Pending& pending, std::span<std::byte> staging) {
  pending.range = range;
  if (range.first == range.last) {
    pending.pieces.clear();
    return;
  }
  switch (mode_) {
    case Mode::chunks:
      return fetch_chunks(range, pending, staging);
    case Mode::streamed:
      return fetch_streamed(range, staging);
    case Mode::contiguous:
      return;
    case Mode::library: {
      const hsize_t start = static_cast<hsize_t>(range.first), count = static_cast<hsize_t>(range.last - range.first);
      dataset_.read_block({&start, 1}, {&count, 1}, staging.data());
      bytes_read_.fetch_add(static_cast<std::int64_t>(count * element_bytes()), std::memory_order_relaxed);
      return;
    }
  }
}

void ElementStream::decode(Pending& pending, std::span<std::byte> staging, ElementWriter& writer) {
  const auto n = static_cast<std::size_t>(pending.range.last - pending.range.first);
  if (n == 0) return;
  switch (mode_) {
    case Mode::chunks:
      // The last piece first: the next slot waits for it.
      if (pending.pieces.size() > 1) decode_piece(pending.pieces.back(), pending, staging, writer);
      for (std::size_t i = 1; i + 1 < pending.pieces.size(); ++i) decode_piece(pending.pieces[i], pending, staging, writer);
      decode_piece(pending.pieces.front(), pending, staging, writer);
      return;
    case Mode::contiguous:
      return decode_contiguous(pending.range, staging, writer);
    case Mode::streamed:
    case Mode::library:
      return writer.put(staging.data(), n, 0);
  }
}

void ElementStream::decode_contiguous(Range range, std::span<std::byte> staging, ElementWriter& writer) {
  const auto n = static_cast<std::size_t>(range.last - range.first);
  const std::int64_t offset = dataset_.contiguous_offset() + range.first * static_cast<std::int64_t>(element_bytes());
  if (std::byte* out = writer.direct(0)) return file_.read(offset, {out, n * element_bytes()});
  const std::size_t block = contiguous_block_bytes / element_bytes();
  for (std::size_t at = 0; at < n; at += block) {
    const std::size_t m = std::min(block, n - at);
    file_.read(offset + static_cast<std::int64_t>(at * element_bytes()), staging.subspan(0, m * element_bytes()));
    writer.put(staging.data(), m, at);
  }
}

}  // namespace quern::io
