#include "io/tables/text_output.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "io/file_errors.hpp"

namespace quern::io {
namespace {

constexpr std::size_t out_bytes = std::size_t{256} << 10;

// Owner of a descriptor.
struct Descriptor {
  int number = -1;
  Descriptor() = default;
  explicit Descriptor(int descriptor) : number(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : number(std::exchange(other.number, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number, other.number);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

Descriptor open_nameless_file(const std::string& tmp_dir) {
  const char* fallback = getenv("TMPDIR");
  const std::string folder = !tmp_dir.empty() ? tmp_dir : fallback && *fallback ? fallback : "/tmp";
  std::string name = folder + "/quern.XXXXXX";
  Descriptor file(mkostemp(name.data(), O_CLOEXEC));
  if (file.number < 0) throw write_error(folder, "create a temporary file", errno);
  unlink(name.c_str());
  return file;
}

void copy_all(int from, int to, const std::string& path) {
  if (lseek(from, 0, SEEK_SET) != 0) throw write_error(path, "read the temporary file back", errno);
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t got = read(from, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw write_error(path, "read the temporary file back", errno);
    if (got == 0) return;
    write_all(to, {block.data(), static_cast<std::size_t>(got)}, path);
  }
}

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

  void restart() { deflateReset(&stream_); }
  // Hands pieces of compressed text to `take` until `text` is used up; with `last` until the stream is complete.
  template <class Take>
  void put(std::string_view text, bool last, Take&& take) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    std::array<char, 16384> piece;
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      take(std::string_view(piece.data(), piece.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_{};
};

}  // namespace

struct TextOutput::State {
  std::string path;                // for messages
  std::unique_ptr<SafeFile> file;  // a regular target
  Descriptor device;               // a special target
  Descriptor waiting;              // what did not fit the buffer, for standard output and devices
  std::string tmp_dir, buffer;
  std::optional<Compressor> compressor;
  std::vector<Warning> no_warnings;

  int final_descriptor() const { return file ? file->descriptor() : device.number >= 0 ? device.number : STDOUT_FILENO; }

  void flush() {
    if (!file && waiting.number < 0) waiting = open_nameless_file(tmp_dir);
    write_all(file ? file->descriptor() : waiting.number, buffer, path);
    buffer.clear();
  }
  void append(std::string_view bytes) {
    if (buffer.size() + bytes.size() > out_bytes && !buffer.empty()) flush();
    if (bytes.size() < out_bytes) {
      buffer.append(bytes);
      return;
    }
    if (!file && waiting.number < 0) waiting = open_nameless_file(tmp_dir);
    write_all(file ? file->descriptor() : waiting.number, bytes, path);
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
      if (s.device.number < 0) throw write_error(target, "open the device", errno);
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
  const int written = s.file ? s.file->descriptor() : s.waiting.number;
  if (written < 0) return;
  if (ftruncate(written, 0) != 0 || lseek(written, 0, SEEK_SET) != 0) throw write_error(s.path, "start the file again", errno);
}

void TextOutput::commit() {
  State& s = *state_;
  if (s.compressor) s.compressor->put({}, true, [&s](std::string_view bytes) { s.append(bytes); });
  if (s.waiting.number >= 0) {
    s.flush();
    copy_all(s.waiting.number, s.final_descriptor(), s.path);
    return;
  }
  write_all(s.final_descriptor(), s.buffer, s.path);
  s.buffer.clear();
  if (s.file) s.file->commit();
}

const std::vector<Warning>& TextOutput::warnings() const { return state_->file ? state_->file->warnings() : state_->no_warnings; }

}  // namespace quern::io
