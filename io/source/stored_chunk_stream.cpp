#include "io/source/stored_chunk_stream.hpp"

#include <algorithm>
#include <array>

#include "host/core/error.hpp"

namespace quern::io {

StoredChunkStream::Place StoredChunkStream::locate(const RawDataset& dataset, std::span<const hsize_t> corner) {
  Place place;
  place.bytes = dataset.stored_chunk_bytes(corner);
  if (place.bytes == 0) return place;
  place.offset = dataset.chunk_file_offset(corner);
  place.plain = (dataset.chunk_filter_mask(corner) & 1U) != 0;
  return place;
}

void StoredChunkStream::open(const Place& place) {
  place_ = place;
  bytes_left_ = place.bytes;
  unwanted_ = dataset_.filters().chunk_bytes;
  unread_ = {};
  inflate_.restart();
  if (place.plain && place.bytes != unwanted_) throw_short();
}

void StoredChunkStream::read(std::span<std::byte> out) {
  unwanted_ -= out.size();
  if (place_.bytes == 0) {
    const auto fill = dataset_.fill_value();
    for (std::size_t at = 0; at < out.size(); at += fill.size()) std::copy(fill.begin(), fill.end(), out.data() + at);
  } else if (place_.plain) {
    file_.read(place_.offset, out);
    place_.offset += static_cast<std::int64_t>(out.size());
  } else {
    while (!out.empty()) {
      if (unread_.empty() && !read_stored()) throw_short();
      out = out.subspan(inflate_.read(unread_, out, dataset_.path()));
    }
  }
}

void StoredChunkStream::finish() {
  if (place_.bytes == 0 || place_.plain) return;
  std::array<std::byte, 4096> padding;
  while (unwanted_ > 0) read(std::span(padding).first(std::min(unwanted_, padding.size())));
  while (bytes_left_ > 0 && unread_.empty()) {
    read_stored();
    inflate_.read(unread_, {}, dataset_.path());
  }
  inflate_.finish(unread_, dataset_.path());
}

bool StoredChunkStream::read_stored() {
  const std::size_t n = std::min(bytes_left_, buffer_.size());
  file_.read(place_.offset, buffer_.first(n));
  place_.offset += static_cast<std::int64_t>(n);
  bytes_left_ -= n;
  unread_ = buffer_.first(n);
  return n > 0;
}

void StoredChunkStream::throw_short() const {
  throw input_error("corrupt-chunk", dataset_.path(),
                    "a stored chunk holds less than the " + std::to_string(dataset_.filters().chunk_bytes) + " bytes of a chunk",
                    "the file is damaged: copy or download it again");
}

}  // namespace quern::io
