// ElementStream over stored chunks: private ones in the slot's staging, shared ones in the pool, giant ones inflated piecewise.
#include <algorithm>
#include <cstring>

#include "io/source/element_stream.hpp"
#include "io/source/element_stream_types.hpp"

namespace quern::io {

void ElementStream::fetch_chunks(Range range, Pending& pending, std::span<std::byte> staging) {
  const std::int64_t length = chunk_length();
  pending.pieces.clear();
  std::size_t staged = scratch_bytes_;
  const std::int64_t last = (range.last - 1) / length;
  for (std::int64_t chunk = range.first / length; chunk <= last; ++chunk) {
    const std::int64_t begin = chunk * length, end = std::min(begin + length, used_);
    const std::int64_t from = std::max(range.first, begin), to = std::min(range.last, end);
    Piece piece;
    piece.chunk = chunk;
    piece.from = static_cast<std::size_t>(from - begin);
    piece.n = static_cast<std::size_t>(to - from);
    piece.at = static_cast<std::size_t>(from - range.first);
    if (from == begin && to == end) {
      fetch_private(piece, staged, staging);
    } else {
      SharedChunk& shared = shared_chunk(chunk);
      shared.users.fetch_add(1);
      piece.shared = &shared;
    }
    pending.pieces.push_back(piece);
  }
  if (carry_ && range.last >= std::min((carry_->chunk + 1) * length, used_)) drop_carry();
}

void ElementStream::fetch_private(Piece& piece, std::size_t& staged, std::span<std::byte> staging) {
  const hsize_t offset = static_cast<hsize_t>(piece.chunk * chunk_length());
  piece.staged_at = staged;
  piece.stored_bytes = dataset_.stored_chunk_bytes({&offset, 1});
  if (piece.stored_bytes == 0) return;
  if (piece.stored_bytes > staging.size() - staged) throw stored_chunk_too_large(piece.stored_bytes);
  piece.filter_mask = dataset_.read_chunk({&offset, 1}, staging.subspan(staged, piece.stored_bytes));
  staged += piece.stored_bytes;
  bytes_read_.fetch_add(static_cast<std::int64_t>(piece.stored_bytes), std::memory_order_relaxed);
}

// The pool's entry for `chunk`: the carry, or a free entry filled with its stored bytes, which becomes the carry.
ElementStream::SharedChunk& ElementStream::shared_chunk(std::int64_t chunk) {
  if (carry_ && carry_->chunk == chunk) return *carry_;
  drop_carry();
  const auto free = std::find_if(shared_.begin(), shared_.end(), [](const auto& entry) { return entry->users.load() == 0; });
  if (free == shared_.end()) throw Error(ErrorKind::internal, "no-free-chunk", dataset_.path(), "the pool of shared chunks is too small");
  SharedChunk& entry = **free;
  const hsize_t offset = static_cast<hsize_t>(chunk * chunk_length());
  entry.chunk = chunk;
  entry.stored_bytes = dataset_.stored_chunk_bytes({&offset, 1});
  entry.filter_mask = 0;
  entry.decoded = false;
  if (entry.stored_bytes > entry.stored.size()) throw stored_chunk_too_large(entry.stored_bytes);
  if (entry.stored_bytes > 0) entry.filter_mask = dataset_.read_chunk({&offset, 1}, entry.stored.subspan(0, entry.stored_bytes));
  bytes_read_.fetch_add(static_cast<std::int64_t>(entry.stored_bytes), std::memory_order_relaxed);
  entry.users.store(1);
  carry_ = &entry;
  return entry;
}

void ElementStream::drop_carry() {
  if (carry_) carry_->users.fetch_sub(1);
  carry_ = nullptr;
}

void ElementStream::decode_piece(const Piece& piece, Pending& pending, std::span<std::byte> staging, ElementWriter& writer) {
  if (piece.shared) return decode_shared(piece, pending, writer);
  const std::span<std::byte> scratch = staging.subspan(0, scratch_bytes_);
  if (piece.stored_bytes == 0) return put_fill(piece, scratch, writer);
  const auto stored = staging.subspan(piece.staged_at, piece.stored_bytes);
  const bool whole = piece.n == static_cast<std::size_t>(chunk_length());
  if (std::byte* out = whole ? writer.direct(piece.at) : nullptr)
    return pending.decoder->decode(stored, piece.filter_mask, {out, dataset_.filters().chunk_bytes}, dataset_.path());
  pending.decoder->decode(stored, piece.filter_mask, scratch, dataset_.path());
  writer.put(scratch.data(), piece.n, piece.at);
}

void ElementStream::decode_shared(const Piece& piece, Pending& pending, ElementWriter& writer) {
  SharedChunk& entry = *piece.shared;
  {
    const std::scoped_lock lock(entry.mutex);
    if (!entry.decoded) {
      if (entry.stored_bytes == 0)
        for (std::size_t i = 0; i < entry.raw.size(); i += element_bytes())
          std::memcpy(&entry.raw[i], dataset_.fill_value().data(), element_bytes());
      else
        pending.decoder->decode(entry.stored.subspan(0, entry.stored_bytes), entry.filter_mask, entry.raw, dataset_.path());
      entry.decoded = true;
    }
  }
  writer.put(entry.raw.data() + piece.from * element_bytes(), piece.n, piece.at);
  entry.users.fetch_sub(1);
}

void ElementStream::put_fill(const Piece& piece, std::span<std::byte> scratch, ElementWriter& writer) const {
  for (std::size_t i = 0; i < piece.n; ++i) std::memcpy(&scratch[i * element_bytes()], dataset_.fill_value().data(), element_bytes());
  writer.put(scratch.data(), piece.n, piece.at);
}

// ---- chunks larger than a slot

void ElementStream::start_streaming(std::span<std::byte> buffer) {
  streamer_ = std::make_unique<Streamer>(dataset_, file_);
  streamer_->stream.use(buffer);
  for (std::int64_t first = 0; first < used_; first += chunk_length()) {
    const hsize_t corner = static_cast<hsize_t>(first);
    streamer_->places.push_back(StoredChunkStream::locate(dataset_, {&corner, 1}));
  }
}

void ElementStream::fetch_streamed(Range range, std::span<std::byte> staging) {
  Streamer& s = *streamer_;
  std::byte* out = staging.data();
  for (std::int64_t next = range.first; next < range.last;) {
    const std::int64_t chunk = next / chunk_length();
    if (next % chunk_length() == 0) s.stream.open(s.places[static_cast<std::size_t>(chunk)]);
    const std::int64_t chunk_end = std::min((chunk + 1) * chunk_length(), used_), end = std::min(range.last, chunk_end);
    const std::size_t bytes = static_cast<std::size_t>(end - next) * element_bytes();
    s.stream.read({out, bytes});
    out += bytes;
    next = end;
    if (next == chunk_end) s.stream.finish();
  }
}

}  // namespace quern::io
