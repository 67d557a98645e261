// The least one pass over X of an .h5ad can cost: every stored byte of X/data and X/indices is fetched, and inflated where it is deflated,
// on all threads; nothing is done with the result (shuffled bytes stay shuffled). Prints one line of JSON.
//
//   quern_decode_floor FILE [THREADS]
#include <fcntl.h>
#include <hdf5.h>
#include <libdeflate.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t contiguous_piece_bytes = std::size_t{4} << 20;

struct Piece {
  off_t offset;
  std::size_t stored_bytes, decoded_bytes;
  bool deflated;
};

struct Work {
  std::vector<Piece> pieces;
  unsigned long long n_values = 0;

  std::size_t largest(std::size_t Piece::*field) const {
    std::size_t most = 0;
    for (const Piece& piece : pieces) most = std::max(most, piece.*field);
    return most;
  }
};

template <class Value>
Value checked(Value value, const char* what) {
  if (value < 0) throw std::runtime_error(std::string("cannot ") + what);
  return value;
}

// Position of the deflate filter in the pipeline, or -1. Shuffle may stand beside it, anything else is refused: the floor would lie.
int deflate_position(hid_t creation) {
  int position = -1;
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0, config = 0;
    std::size_t n_parameters = 0;
    const H5Z_filter_t id = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &n_parameters, nullptr, 0, nullptr, &config);
    if (id == H5Z_FILTER_DEFLATE)
      position = i;
    else if (id != H5Z_FILTER_SHUFFLE)
      throw std::runtime_error("has a filter other than deflate and shuffle: " + std::to_string(id));
  }
  return position;
}

void add_contiguous(Work& work, hid_t dataset, std::size_t total_bytes) {
  const haddr_t start = H5Dget_offset(dataset);
  if (start == HADDR_UNDEF) throw std::runtime_error("has no bytes in the file");
  for (std::size_t at = 0; at < total_bytes; at += contiguous_piece_bytes) {
    const std::size_t bytes = std::min(contiguous_piece_bytes, total_bytes - at);
    work.pieces.push_back({static_cast<off_t>(start + at), bytes, bytes, false});
  }
}

void add_chunks(Work& work, hid_t dataset, hid_t creation, hsize_t n, std::size_t value_bytes) {
  hsize_t chunk = 0;
  checked(H5Pget_chunk(creation, 1, &chunk), "read the chunk size");
  const int deflate = deflate_position(creation);
  for (hsize_t first = 0; first < n; first += chunk) {
    unsigned skipped_filters = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t stored = 0;
    checked(H5Dget_chunk_info_by_coord(dataset, &first, &skipped_filters, &address, &stored), "look up a chunk");
    const bool deflated = deflate >= 0 && !(skipped_filters >> deflate & 1U);
    if (stored > 0) work.pieces.push_back({static_cast<off_t>(address), stored, chunk * value_bytes, deflated});
  }
}

void add_dataset(Work& work, hid_t file, const char* name) {
  const hid_t dataset = checked(H5Dopen(file, name, H5P_DEFAULT), "open the dataset (X must be sparse)");
  const hid_t creation = H5Dget_create_plist(dataset);
  hsize_t n = 0;
  checked(H5Sget_simple_extent_dims(H5Dget_space(dataset), &n, nullptr), "read the length");
  const std::size_t value_bytes = H5Tget_size(H5Dget_type(dataset));
  if (H5Pget_layout(creation) == H5D_CONTIGUOUS)
    add_contiguous(work, dataset, n * value_bytes);
  else
    add_chunks(work, dataset, creation, n, value_bytes);
  work.n_values = n;
}

// Takes pieces until none is left. Returns false as soon as one cannot be read or inflated.
bool decode_pieces(const Work& work, int descriptor, std::atomic<std::size_t>& next) {
  const std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> inflater(libdeflate_alloc_decompressor(),
                                                                                                   &libdeflate_free_decompressor);
  std::vector<unsigned char> stored(work.largest(&Piece::stored_bytes)), decoded(work.largest(&Piece::decoded_bytes));
  for (std::size_t i = next++; i < work.pieces.size(); i = next++) {
    const Piece& piece = work.pieces[i];
    if (pread(descriptor, stored.data(), piece.stored_bytes, piece.offset) != static_cast<ssize_t>(piece.stored_bytes)) return false;
    if (piece.deflated && libdeflate_zlib_decompress(inflater.get(), stored.data(), piece.stored_bytes, decoded.data(), piece.decoded_bytes,
                                                     nullptr) != LIBDEFLATE_SUCCESS)
      return false;
  }
  return true;
}

double seconds_to_decode(const Work& work, int descriptor, unsigned n_threads) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> good{true};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < n_threads; ++i)
    threads.emplace_back([&] {
      if (!decode_pieces(work, descriptor, next)) good = false;
    });
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!good) throw std::runtime_error("a piece could not be read or inflated");
  return elapsed.count();
}

void run(const char* path, unsigned n_threads) {
  const hid_t file = checked(H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), "open the file");
  Work work;
  add_dataset(work, file, "X/data");
  add_dataset(work, file, "X/indices");
  const int descriptor = checked(open(path, O_RDONLY | O_CLOEXEC), "open the file");
  const double seconds = seconds_to_decode(work, descriptor, n_threads);
  std::size_t stored = 0, decoded = 0;
  for (const Piece& piece : work.pieces) stored += piece.stored_bytes, decoded += piece.decoded_bytes;
  std::printf("{\"seconds\": %.6f, \"n_values\": %llu, \"stored_bytes\": %zu, \"decoded_bytes\": %zu, \"threads\": %u}\n", seconds,
              work.n_values, stored, decoded, n_threads);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: quern_decode_floor FILE [THREADS]\n");
    return 2;
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned n_threads = argc > 2 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : cores;
  try {
    run(argv[1], std::max(1U, n_threads));
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "quern_decode_floor: %s: %s\n", argv[1], problem.what());
    return 3;
  }
  return 0;
}
