#include "tests/bench/stored_pieces.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace quern::bench {
namespace {

constexpr std::size_t contiguous_piece_bytes = std::size_t{4} << 20;

// Position of the deflate filter in the pipeline, or -1, and its level.
int deflate_position(hid_t creation, int& level) {
  int position = -1;
  for (int i = 0; i < H5Pget_nfilters(creation); ++i) {
    unsigned flags = 0, config = 0;
    unsigned parameter = 0;
    std::size_t n_parameters = 1;
    const H5Z_filter_t id = H5Pget_filter2(creation, static_cast<unsigned>(i), &flags, &n_parameters, &parameter, 0, nullptr, &config);
    if (id == H5Z_FILTER_DEFLATE) {
      position = i;
      level = static_cast<int>(parameter);
    } else if (id != H5Z_FILTER_SHUFFLE) {
      throw std::runtime_error("has a filter other than deflate and shuffle: " + std::to_string(id));
    }
  }
  return position;
}

void add_contiguous(Stored& stored, hid_t dataset, std::size_t total_bytes) {
  const haddr_t start = H5Dget_offset(dataset);
  if (start == HADDR_UNDEF) throw std::runtime_error("has no bytes in the file");
  for (std::size_t at = 0; at < total_bytes; at += contiguous_piece_bytes) {
    const std::size_t bytes = std::min(contiguous_piece_bytes, total_bytes - at);
    stored.pieces.push_back({static_cast<off_t>(start + at), bytes, bytes, false});
  }
}

void add_chunks(Stored& stored, hid_t dataset, hid_t creation, hsize_t n, std::size_t value_bytes) {
  hsize_t chunk = 0;
  checked(H5Pget_chunk(creation, 1, &chunk), "read the chunk size");
  const int deflate = deflate_position(creation, stored.level);
  for (hsize_t first = 0; first < n; first += chunk) {
    unsigned skipped_filters = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t bytes = 0;
    checked(H5Dget_chunk_info_by_coord(dataset, &first, &skipped_filters, &address, &bytes), "look up a chunk");
    const bool deflated = deflate >= 0 && !(skipped_filters >> deflate & 1U);
    if (bytes > 0) stored.pieces.push_back({static_cast<off_t>(address), bytes, chunk * value_bytes, deflated});
  }
}

}  // namespace

std::size_t Stored::largest(std::size_t Piece::*field) const {
  std::size_t most = 0;
  for (const Piece& piece : pieces) most = std::max(most, piece.*field);
  return most;
}

void add_dataset(Stored& stored, hid_t file, const char* name) {
  const hid_t dataset = checked(H5Dopen(file, name, H5P_DEFAULT), "open the dataset (X must be sparse)");
  const hid_t creation = H5Dget_create_plist(dataset);
  hsize_t n = 0;
  checked(H5Sget_simple_extent_dims(H5Dget_space(dataset), &n, nullptr), "read the length");
  const std::size_t value_bytes = H5Tget_size(H5Dget_type(dataset));
  if (H5Pget_layout(creation) == H5D_CONTIGUOUS)
    add_contiguous(stored, dataset, n * value_bytes);
  else
    add_chunks(stored, dataset, creation, n, value_bytes);
  stored.n_values = n;
}

PieceReader::PieceReader(const Stored& stored)
    : inflater_(libdeflate_alloc_decompressor()),
      stored_(stored.largest(&Piece::stored_bytes)),
      decoded_(stored.largest(&Piece::decoded_bytes)) {}

bool PieceReader::read(int descriptor, const Piece& piece) {
  if (pread(descriptor, stored_.data(), piece.stored_bytes, piece.offset) != static_cast<ssize_t>(piece.stored_bytes)) return false;
  return !piece.deflated || libdeflate_zlib_decompress(inflater_.get(), stored_.data(), piece.stored_bytes, decoded_.data(),
                                                       piece.decoded_bytes, nullptr) == LIBDEFLATE_SUCCESS;
}

double seconds_on_threads(unsigned n_threads, const char* failure, const std::function<bool()>& work) {
  std::atomic<bool> good{true};
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < n_threads; ++i)
    threads.emplace_back([&] {
      if (!work()) good = false;
    });
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (!good) throw std::runtime_error(failure);
  return elapsed.count();
}

}  // namespace quern::bench
