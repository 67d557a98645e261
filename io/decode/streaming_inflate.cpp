#include <zlib.h>

#include <algorithm>
#include <new>

#include "io/decode/chunk_decoder.hpp"
#include "io/decode/corrupt_chunk.hpp"

namespace quern::io {
namespace {

constexpr std::size_t largest_step = std::size_t{1} << 30;  // zlib counts in 32 bits

}  // namespace

struct StreamingInflate::State {
  z_stream stream{};
  bool ended = false;
};

StreamingInflate::StreamingInflate() : state_(std::make_unique<State>()) {
  if (inflateInit(&state_->stream) != Z_OK) throw std::bad_alloc();
}

StreamingInflate::~StreamingInflate() { inflateEnd(&state_->stream); }

void StreamingInflate::restart() {
  inflateReset(&state_->stream);
  state_->ended = false;
}

std::size_t StreamingInflate::read(std::span<const std::byte>& in, std::span<std::byte> out, const std::string& object) {
  z_stream& z = state_->stream;
  std::size_t written = 0;
  while (!state_->ended) {
    const std::size_t in_step = std::min(in.size(), largest_step), out_step = std::min(out.size() - written, largest_step);
    // zlib only reads from next_in; its type predates const.
    z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
    z.avail_in = static_cast<uInt>(in_step);
    Bytef nothing = 0;
    z.next_out = out_step > 0 ? reinterpret_cast<Bytef*>(out.data() + written) : &nothing;
    z.avail_out = static_cast<uInt>(out_step);
    const int result = ::inflate(&z, Z_NO_FLUSH);
    const std::size_t taken = in_step - z.avail_in, made = out_step - z.avail_out;
    in = in.subspan(taken);
    written += made;
    state_->ended = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      throw corrupt_chunk(object, std::string("a stored chunk does not inflate: ") + (z.msg ? z.msg : "invalid data"));
    if (taken == 0 && made == 0) break;
  }
  if (state_->ended && !in.empty())
    throw corrupt_chunk(object, std::to_string(in.size()) + " bytes follow the end of a stored chunk's gzip stream");
  return written;
}

void StreamingInflate::finish(std::span<const std::byte> in, const std::string& object) {
  std::byte surplus{};
  if (read(in, {&surplus, 1}, object) > 0) throw corrupt_chunk(object, "a stored chunk inflates to more bytes than the chunk holds");
  if (!state_->ended) throw corrupt_chunk(object, "a stored chunk's gzip stream is cut short");
}

}  // namespace quern::io
