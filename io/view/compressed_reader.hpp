// Chosen rows of a CSR matrix (columns of a CSC one) as they are stored: order, duplicates and explicit zeros kept.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/source/element_stream.hpp"
#include "io/sources.hpp"
#include "io/view/number.hpp"

namespace quern::io {

// "Major" is what the storage goes by: rows of CSR, columns of CSC. Entries of major first + m: offsets[m] .. offsets[m + 1].
struct MajorBlock {
  std::int64_t first = 0;
  std::vector<std::size_t> offsets;   // majors + 1
  std::vector<std::uint32_t> minors;  // below the number of minors
  std::vector<Number> values;
  std::int64_t n_majors() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

// Reads and decodes only the stored chunks that hold the chosen majors. Touches HDF5; one user at a time.
class CompressedReader {
 public:
  // Reads the pointers of `majors` (ascending, disjoint). Throws input_error "bad-indptr", "bad-shape"; resource_error.
  CompressedReader(const MatrixInput& input, const std::vector<RowRange>& majors, MemoryBudget& budget);
  ~CompressedReader();

  NumberKind kind() const { return kind_; }
  std::int64_t n_entries() const { return n_entries_; }  // of the chosen majors
  std::int64_t bytes_read() const;                       // stored bytes, so far
  // The next majors, never of two ranges at once; false at the end. Throws input_error "bad-index" and what decoding throws.
  bool next(MajorBlock& block);

 private:
  struct Array;
  void read_pointers(const std::vector<RowRange>& majors);
  void cut_blocks(const std::vector<RowRange>& majors, std::int64_t most_entries);
  void fill(const ElementStream::Range& entries, MajorBlock& block);
  void check_minors(const MajorBlock& block, std::int64_t first_entry) const;

  MatrixInput input_;
  MemoryBudget& budget_;
  NumberKind kind_;
  std::int64_t n_majors_ = 0, n_minors_ = 0, n_entries_ = 0, stored_entries_ = 0;
  struct Part {  // majors of one block; their pointers are pointers_[at] .. pointers_[at + majors.size()]
    RowRange majors;
    std::size_t at = 0;
  };
  std::vector<std::int64_t> pointers_;
  std::vector<Part> parts_;
  std::size_t next_part_ = 0;
  Claim pointers_claim_, block_claim_;
  std::unique_ptr<Array> minors_, values_;
};

}  // namespace quern::io
