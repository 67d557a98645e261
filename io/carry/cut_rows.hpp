// The kept rows of a sparse matrix on their way into a new one.
#pragma once
#include "io/carry/chunk_visit.hpp"
#include "io/carry/selection.hpp"
#include "io/carry/sparse_out.hpp"

namespace quern::io {

// The type whose chunks hold every value of a stored type without a second try: float for what has at most 24 bits, else double.
ValueType exact_value_type(const ElementType& type);

// Closes the gaps that other rows leave, chunk by chunk, and brings the values into the type they are written in; what is left is written
// in order. Columns have been cut by the source.
class CutRows final : public ChunkVisitor {
 public:
  // `rows` of the source, `n_rows` long. `type`: of the values written, no wider than those of the chunks.
  CutRows(const Selection& rows, std::int64_t n_rows, const ElementType& type, SparseOut& out)
      : ranges_(rows.ranges(n_rows)), type_(type), out_(out) {}
  // Throws input_error("unfit-value") where repeated entries add up to more than the type holds.
  void compute(ChunkBuffer& chunk) override;
  void hand_on(const ChunkBuffer& chunk) override;
  void put_away() override { out_.write_full(); }

 private:
  // Calls use(first, last) with the kept rows of the chunk, counted from its first, range by range.
  template <class Use>
  void for_each_kept(const ChunkBuffer& chunk, Use use) const;
  std::vector<RowRange> ranges_;
  ElementType type_;
  SparseOut& out_;
};

}  // namespace quern::io
