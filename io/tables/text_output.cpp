#include "io/tables/text_output.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "io/descriptor.hpp"
#include "io/file_errors.hpp"
#include "io/temporary_file.hpp"

namespace quern::io {
namespace {

constexpr std::size_t out_bytes = std::size_t{256} << 10;

// Text that waits in a file until it is known to be right.
class WaitingText {
 public:
  explicit WaitingText(const std::string& folder) : file_(folder, 0) {}
  void append(std::string_view text) {
    file_.write(size_, std::as_bytes(std::span(text)));
    size_ += static_cast<std::int64_t>(text.size());
  }
  void restart() { size_ = 0; }
  void copy_to(int descriptor, const std::string& path) const {
    std::array<char, 65536> block;
    for (std::int64_t at = 0; at < size_; at += static_cast<std::int64_t>(block.size())) {
      const auto piece = std::span(block).first(static_cast<std::size_t>(std::min<std::int64_t>(size_ - at, std::ssize(block))));
      file_.read(at, std::as_writable_bytes(piece));
      write_all(descriptor, {piece.data(), piece.size()}, path);
    }
  }

 private:
  TemporaryFile file_;
  std::int64_t size_ = 0;
};

// gzip without a time stamp: same text, same bytes.
class Compressor {
 public:
  Compressor() {
    if (deflateInit2(&stream_, 4, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw resource_error("out-of-memory", "--memory", "no memory for the compressor of an output");
  }
  ~Compressor() { deflateEnd(&stream_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  void restart() { check(deflateReset(&stream_)); }
  // Hands pieces of compressed text to `take` until `text` is used up; with `last` until the stream is complete.
  template <class Take>
  void put(std::string_view text, bool last, Take&& take) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    std::array<char, 16384> piece;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      check(deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH));
      take(std::string_view(piece.data(), piece.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

 private:
  // Z_BUF_ERROR: there was nothing to do.
  static void check(int result) {
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      throw output_error("compression-failed", "", "zlib could not compress an output: error " + std::to_string(result));
  }
  z_stream stream_{};
};

}  // namespace

struct TextOutput::State {
  std::string path;                    // for messages
  std::unique_ptr<SafeFile> file;      // a regular target
  Descriptor device;                   // a special target
  std::optional<WaitingText> waiting;  // what did not fit the buffer, for standard output and devices
  std::string tmp_dir, buffer;
  std::optional<Compressor> compressor;
  std::vector<Warning> no_warnings;

  int final_descriptor() const { return file ? file->descriptor() : device ? device.get() : STDOUT_FILENO; }

  void put(std::string_view bytes) {
    if (file) return write_all(file->descriptor(), bytes, path);
    if (!waiting) waiting.emplace(tmp_dir);
    waiting->append(bytes);
  }
  void flush() {
    put(buffer);
    buffer.clear();
  }
  void append(std::string_view bytes) {
    if (buffer.size() + bytes.size() > out_bytes && !buffer.empty()) flush();
    if (bytes.size() < out_bytes) {
      buffer.append(bytes);
      return;
    }
    put(bytes);
  }
};

TextOutput::TextOutput(const std::string& target, const OutputOptions& options) : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = target == "-" ? "standard output" : target;
  s.tmp_dir = options.tmp_dir;
  if (target != "-") {
    const OutputTarget resolved = resolve_output(target, options);
    if (resolved.special) {
      s.device = Descriptor(open(resolved.path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
      if (!s.device) throw write_error(target, "open the device", errno);
    } else {
      s.file = std::make_unique<SafeFile>(target, options);
    }
  }
  if (target.ends_with(".gz")) s.compressor.emplace();
  s.buffer.reserve(out_bytes);
}
TextOutput::~TextOutput() = default;

void TextOutput::write(std::string_view text) {
  if (!state_->compressor) return state_->append(text);
  while (!text.empty()) {  // pieces that zlib's 32-bit counts hold
    const std::string_view piece = text.substr(0, std::size_t{1} << 30);
    state_->compressor->put(piece, false, [this](std::string_view bytes) { state_->append(bytes); });
    text.remove_prefix(piece.size());
  }
}

void TextOutput::restart() {
  State& s = *state_;
  s.buffer.clear();
  if (s.compressor) s.compressor->restart();
  if (s.waiting) s.waiting->restart();
  if (!s.file) return;
  const int written = s.file->descriptor();
  if (ftruncate(written, 0) != 0 || lseek(written, 0, SEEK_SET) != 0) throw write_error(s.path, "start the file again", errno);
}

void TextOutput::commit() {
  State& s = *state_;
  if (s.compressor) s.compressor->put({}, true, [&s](std::string_view bytes) { s.append(bytes); });
  if (s.waiting) {
    s.flush();
    return s.waiting->copy_to(s.final_descriptor(), s.path);
  }
  write_all(s.final_descriptor(), s.buffer, s.path);
  if (s.file) s.file->commit();
}

const std::vector<Warning>& TextOutput::warnings() const { return state_->file ? state_->file->warnings() : state_->no_warnings; }

}  // namespace quern::io
