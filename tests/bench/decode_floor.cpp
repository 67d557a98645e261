// The least one pass over X of an .h5ad can cost: every stored byte of X/data and X/indices is fetched, and inflated where it is deflated,
// on all threads; nothing is done with the result (shuffled bytes stay shuffled). Prints one line of JSON.
//
//   quern_decode_floor FILE [THREADS]
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "tests/bench/stored_pieces.hpp"

namespace {

using namespace quern::bench;

void run(const char* path, unsigned n_threads) {
  const hid_t file = checked(H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), "open the file");
  Stored x;
  add_dataset(x, file, "X/data");
  add_dataset(x, file, "X/indices");
  const int descriptor = checked(open(path, O_RDONLY | O_CLOEXEC), "open the file");
  std::atomic<std::size_t> next{0};
  const double seconds = seconds_on_threads(n_threads, "a piece could not be read or inflated", [&] {
    PieceReader reader(x);
    for (std::size_t i = next++; i < x.pieces.size(); i = next++)
      if (!reader.read(descriptor, x.pieces[i])) return false;
    return true;
  });
  std::size_t stored = 0, decoded = 0;
  for (const Piece& piece : x.pieces) stored += piece.stored_bytes, decoded += piece.decoded_bytes;
  std::printf("{\"seconds\": %.6f, \"n_values\": %llu, \"stored_bytes\": %zu, \"decoded_bytes\": %zu, \"threads\": %u}\n", seconds,
              x.n_values, stored, decoded, n_threads);
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
