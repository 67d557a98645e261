// The least that reading X of one .h5ad and writing another one's can cost: every stored byte of the first is fetched and inflated, as for
// quern_decode_floor; the values and indices of the second, in memory already, are deflated chunk by chunk as they are stored there, and
// written. Indices that the second stores as the first does are written as they were fetched. Prints one line of JSON.
//
//   quern_write_floor READ WRITTEN TARGET [THREADS]     TARGET: a file that is made, and removed in the end
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/bench/stored_pieces.hpp"

namespace {

using namespace quern::bench;
using Bytes = std::vector<unsigned char>;

struct FreeDeflater {
  void operator()(libdeflate_compressor* deflater) const { libdeflate_free_compressor(deflater); }
};

// What is deflated (level > 0) or only written.
struct Plain {
  Bytes bytes;
  int level;
};

bool same_sizes(const Stored& a, const Stored& b) {
  const auto same = [](const Piece& x, const Piece& y) { return x.stored_bytes == y.stored_bytes && x.deflated && y.deflated; };
  return std::equal(a.pieces.begin(), a.pieces.end(), b.pieces.begin(), b.pieces.end(), same);
}

void add_plain(std::vector<Plain>& all, const char* path, const Stored& stored) {
  const int descriptor = checked(open(path, O_RDONLY | O_CLOEXEC), "open the file");
  PieceReader reader(stored);
  for (const Piece& piece : stored.pieces) {
    if (!reader.read(descriptor, piece)) throw std::runtime_error("a piece could not be read or inflated");
    const unsigned char* bytes = reader.decoded(piece);
    all.push_back({Bytes(bytes, bytes + piece.decoded_bytes), piece.deflated ? std::max(stored.level, 1) : 0});
  }
  close(descriptor);
}

class Target {
 public:
  explicit Target(const char* path) : path_(path), descriptor_(checked(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), "make the target")) {}
  ~Target() {
    close(descriptor_);
    unlink(path_);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  bool write(const unsigned char* bytes, std::size_t n) {
    return pwrite(descriptor_, bytes, n, static_cast<off_t>(end_.fetch_add(n))) == static_cast<ssize_t>(n);
  }
  std::size_t size() const { return end_; }
  double seconds_to_sync() const {
    const auto start = std::chrono::steady_clock::now();
    checked(fsync(descriptor_), "sync the target");
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

 private:
  const char* path_;
  int descriptor_;
  std::atomic<std::size_t> end_{0};
};

bool deflate_and_write(const Plain& plain, libdeflate_compressor* deflater, Bytes& packed, Target& target) {
  if (plain.level == 0) return target.write(plain.bytes.data(), plain.bytes.size());
  packed.resize(libdeflate_zlib_compress_bound(deflater, plain.bytes.size()));
  const std::size_t n = libdeflate_zlib_compress(deflater, plain.bytes.data(), plain.bytes.size(), packed.data(), packed.size());
  return n > 0 && target.write(packed.data(), n);
}

Stored pieces_of(const char* path, const char* name) {
  const hid_t file = checked(H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), "open the file");
  Stored stored;
  add_dataset(stored, file, name);
  H5Fclose(file);
  return stored;
}

void run(const char* read, const char* written, const char* target_path, unsigned n_threads) {
  Stored fetched = pieces_of(read, "X/data");
  const Stored indices = pieces_of(read, "X/indices"), new_data = pieces_of(written, "X/data"),
               new_indices = pieces_of(written, "X/indices");
  const std::size_t first_index = fetched.pieces.size();
  fetched.pieces.insert(fetched.pieces.end(), indices.pieces.begin(), indices.pieces.end());
  const bool copied = same_sizes(indices, new_indices);
  std::vector<Plain> plain;
  add_plain(plain, written, new_data);
  if (!copied) add_plain(plain, written, new_indices);
  const int level = std::max(new_data.level, 1);

  Target target(target_path);
  const int descriptor = checked(open(read, O_RDONLY | O_CLOEXEC), "open the file");
  std::atomic<std::size_t> next{0};
  const double seconds = seconds_on_threads(n_threads, "a piece could not be read, inflated, deflated or written", [&] {
    PieceReader reader(fetched);
    const std::unique_ptr<libdeflate_compressor, FreeDeflater> deflater(libdeflate_alloc_compressor(level));
    Bytes packed;
    for (std::size_t i = next++; i < fetched.pieces.size() + plain.size(); i = next++) {
      bool good = false;
      if (i < fetched.pieces.size()) {
        const Piece& piece = fetched.pieces[i];
        good = reader.read(descriptor, piece) && (!copied || i < first_index || target.write(reader.stored(), piece.stored_bytes));
      } else {
        good = deflate_and_write(plain[i - fetched.pieces.size()], deflater.get(), packed, target);
      }
      if (!good) return false;
    }
    return true;
  });
  std::printf("{\"seconds\": %.6f, \"n_values\": %llu, \"written_bytes\": %zu, \"sync_seconds\": %.6f, \"threads\": %u}\n", seconds,
              new_data.n_values, target.size(), target.seconds_to_sync(), n_threads);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc > 5) {
    std::fprintf(stderr, "usage: quern_write_floor READ WRITTEN TARGET [THREADS]\n");
    return 2;
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned n_threads = argc > 4 ? static_cast<unsigned>(std::strtoul(argv[4], nullptr, 10)) : cores;
  try {
    run(argv[1], argv[2], argv[3], std::max(1U, n_threads));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "quern_write_floor: %s: %s\n", argv[1], problem.what());
    return 3;
  }
  return 0;
}
