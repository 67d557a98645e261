// One row of whole numbers: total, non-zeros, sums over gene sets and of the largest values, by a group of lanes.
//
// Values below the group's width are not added up but counted: lane k counts the value k, by bit planes. 98 % of the values of single
// cells are such, and from the 8 or 32 counts follow total, non-zeros and the sums of the largest at the end of the row. Others
// ("large", and all negative ones) are added by the lane that reads them.
#pragma once
#include "cuda/device/group.hpp"
#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda {

// Rows whose largest values have to be looked for among large ones: a list that top_select works off.
struct RowList {
  std::uint32_t* count = nullptr;
  std::int32_t* rows = nullptr;

  QUERN_DEVICE void append(std::int32_t row) const { store(rows, atomic_add(count, 0, std::uint32_t{1}), row); }
};

// What a group knows of a row; each lane its part.
struct WholeRow {
  std::uint32_t n_equal = 0;    // values equal to the lane's number
  std::int64_t large_sum = 0;   // of the large values that this lane read
  std::uint32_t n_large = 0;    // same in all lanes
  std::uint32_t negatives = 0;  // same in all lanes; not 0: the row has negative values
  std::int64_t set_sum = 0;     // over the gene set of the lane's number
};

// One step along a row: a value a lane, 0 where the row has ended. Zeros leave no trace.
template <int Width>
class WholeStep {
 public:
  QUERN_DEVICE WholeStep(const Group<Width>& group, std::int32_t value)
      : group_(group),
        value_(value),
        planes_(group.warp(), static_cast<std::uint32_t>(value)),
        large_(group.warp().ballot(static_cast<std::uint32_t>(value) >= Width)) {}

  QUERN_DEVICE void observe(WholeRow& row) const {
    row.n_equal +=
        static_cast<std::uint32_t>(count_ones(group_.part(planes_.equal_to(static_cast<std::uint32_t>(group_.lane())) & ~large_)));
    if (large_ == 0) return;
    row.n_large += static_cast<std::uint32_t>(count_ones(group_.part(large_)));
    row.negatives |= group_.part(group_.warp().ballot(value_ < 0));
    if (is_large()) row.large_sum += value_;
  }

  // `sets`: the gene sets of the lane's gene, 0 where there is no value.
  QUERN_DEVICE void observe_sets(WholeRow& row, std::uint32_t sets, int n_sets) const {
    for (int q = 0; q < n_sets; ++q) {
      const bool member = sets >> q & 1;
      const std::uint32_t members = group_.warp().ballot(member);
      if (members == 0) continue;
      std::int64_t sum = planes_.sum(group_, members & ~large_);
      if (members & large_) sum += group_.sum(member && is_large() ? std::int64_t{value_} : 0);
      if (group_.lane() == q) row.set_sum += sum;
    }
  }

 private:
  QUERN_DEVICE bool is_large() const { return static_cast<std::uint32_t>(value_) >= Width; }
  const Group<Width>& group_;
  std::int32_t value_;
  BitPlanes<log2_of(Width)> planes_;
  std::uint32_t large_;
};

// Sums of the largest: all large values, then small ones from the highest down. Where a sum does not reach all large values, or there are
// negative ones, the row goes to the list.
template <int Width>
QUERN_DEVICE void write_top(const Group<Width>& group, const WholeRow& part, std::int64_t large_sum, std::int32_t row, bool active,
                            const PassSpec& pass, const DeviceRows& rows, const RowList& unfinished) {
  const int k = group.lane();
  const auto n_large = static_cast<std::int32_t>(part.n_large);
  const auto n_here = static_cast<std::int32_t>(k ? part.n_equal : 0);
  const std::int32_t n_from = group.suffix_sum(n_here), n_above = group.above(n_from);
  const std::int64_t sum_from = group.suffix_sum(std::int64_t{n_here} * k), sum_above = group.above(sum_from);
  if (!active) return;
  if (part.negatives || n_large > load(pass.n_largest, 0)) {
    if (k == 0) unfinished.append(row);
    return;
  }
  for (int t = 0; t < pass.n_top; ++t) {
    const std::int32_t wanted = load(pass.n_largest, t) - n_large;
    const std::int64_t at = std::int64_t{row} * pass.n_top + t;
    if (k > 0 && wanted > n_above && wanted <= n_from)
      store(rows.top, at, static_cast<std::uint64_t>(large_sum + sum_above + std::int64_t{wanted - n_above} * k));
    if (k == 1 && (wanted == 0 || wanted > n_from)) store(rows.top, at, static_cast<std::uint64_t>(large_sum + (wanted ? sum_from : 0)));
  }
}

// Writes the row's results. Groups without a row of their own come along with active == false.
template <int Width>
QUERN_DEVICE void write_row(const Group<Width>& group, const WholeRow& part, std::int32_t row, bool active, const PassSpec& pass,
                            const DeviceRows& rows, const RowList& unfinished) {
  const int k = group.lane();
  const std::int64_t large_sum = group.sum(part.large_sum);
  const std::int64_t total = group.sum(std::int64_t{part.n_equal} * k) + large_sum;
  const std::uint32_t n_small = group.sum(k ? part.n_equal : 0U);
  if (active && k == 0) {
    store(rows.totals, row, static_cast<std::uint64_t>(total));
    store(rows.n_nonzero, row, static_cast<std::int32_t>(n_small + part.n_large));
  }
  if (active && k < pass.n_sets) store(rows.sets, std::int64_t{row} * pass.n_sets + k, static_cast<std::uint64_t>(part.set_sum));
  if (pass.n_top) write_top(group, part, large_sum, row, active, pass, rows, unfinished);
}

}  // namespace quern::cuda
