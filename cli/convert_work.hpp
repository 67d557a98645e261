// What `quern convert` does with each chunk, and where its rows go.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/digest.hpp"
#include "host/pipeline/chunk_walk.hpp"
#include "io/hdf5/types.hpp"

namespace quern::cli {

// One kind of output. The calls are serial, but write_full() may run beside append().
class ConvertOutput {
 public:
  virtual ~ConvertOutput() = default;
  // All rows of a chunk, the values in the type that the output takes. Throws io::NeedsNewIndices.
  virtual void append(const ChunkBuffer& chunk, std::span<const std::byte> values) = 0;
  virtual void write_full() {}  // what has been appended and makes up whole chunks
};

// Encodes the values and hands the rows on. input_error("unfit-value") for a number that the type does not hold.
class EncodeValues final : public ChunkWork {
 public:
  EncodeValues(const io::ElementType& type, const std::string& matrix, ConvertOutput& out) : type_(type), matrix_(matrix), out_(out) {}
  void compute(ChunkSlot& slot) override;
  void hand_on(ChunkSlot& slot) override;
  void put_away() override { out_.write_full(); }
  // Over the written values, the columns and the entries of each row, each in row order.
  std::string digest() const { return combined_digest(hashes_); }

 private:
  template <class V>
  void encode(ChunkBuffer& chunk, std::size_t n) const;
  io::ElementType type_;
  std::string matrix_;
  ConvertOutput& out_;
  std::array<ArrayHash, 3> hashes_;
  std::vector<std::int32_t> row_sizes_;  // reused
};

}  // namespace quern::cli
