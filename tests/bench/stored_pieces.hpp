// The stored bytes of HDF5 datasets, piece by piece, for programs that measure the least a pass over them can cost.
#pragma once
#include <fcntl.h>
#include <hdf5.h>
#include <libdeflate.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace quern::bench {

struct Piece {
  off_t offset;
  std::size_t stored_bytes, decoded_bytes;
  bool deflated;
};

struct Stored {
  std::vector<Piece> pieces;
  unsigned long long n_values = 0;  // of the dataset added last
  int level = 0;                    // of its deflate filter
  std::size_t largest(std::size_t Piece::*field) const;
};

// Appends the pieces of a one-dimensional dataset: its chunks, or 4 MiB at a time where it has none. Throws std::runtime_error for filters
// other than deflate and shuffle: the floor would lie.
void add_dataset(Stored& stored, hid_t file, const char* name);

template <class Value>
Value checked(Value value, const char* what) {
  if (value < 0) throw std::runtime_error(std::string("cannot ") + what);
  return value;
}

struct FreeInflater {
  void operator()(libdeflate_decompressor* inflater) const { libdeflate_free_decompressor(inflater); }
};

// Reads pieces into memory of its own and inflates them; shuffled bytes stay shuffled.
class PieceReader {
 public:
  explicit PieceReader(const Stored& stored);
  // False: it cannot be read or inflated.
  bool read(int descriptor, const Piece& piece);
  const unsigned char* stored() const { return stored_.data(); }
  const unsigned char* decoded(const Piece& piece) const { return piece.deflated ? decoded_.data() : stored_.data(); }

 private:
  std::unique_ptr<libdeflate_decompressor, FreeInflater> inflater_;
  std::vector<unsigned char> stored_, decoded_;
};

// Calls work() on so many threads at once; it returns false for failure. Throws what that means, in words.
double seconds_on_threads(unsigned n_threads, const char* failure, const std::function<bool()>& work);

}  // namespace quern::bench
