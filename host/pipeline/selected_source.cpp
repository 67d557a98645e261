#include "host/pipeline/selected_source.hpp"

namespace quern {
namespace {

constexpr std::uint32_t left_out = 0xffffffff;

}  // namespace

SelectedSource::SelectedSource(ChunkSource& source, std::span<const std::uint8_t> kept) : source_(source), places_(kept.size(), left_out) {
  for (std::size_t gene = 0; gene < kept.size(); ++gene)
    if (kept[gene] != 0) places_[gene] = static_cast<std::uint32_t>(n_kept_++);
}

MatrixShape SelectedSource::shape() const {
  MatrixShape shape = source_.shape();
  shape.n_cols = n_kept_;
  return shape;
}

void SelectedSource::decode(ChunkBuffer& slot) {
  source_.decode(slot);
  if (slot.value_type == ValueType::f32)
    leave_out<float>(slot);
  else
    leave_out<double>(slot);
}

// Every entry is written where the next one that is kept belongs.
template <class V>
void SelectedSource::leave_out(ChunkBuffer& slot) const {
  V* const values = slot.values_as<V>();
  std::int32_t n = 0, begin = 0;
  for (std::int64_t row = 0; row < slot.rows.size(); ++row) {
    const std::int32_t end = slot.offsets[row + 1];
    for (std::int32_t i = begin; i < end; ++i) {
      const std::uint32_t place = places_[slot.columns[i]];
      slot.columns[n] = place;
      values[n] = values[i];
      n += place != left_out;
    }
    slot.offsets[row + 1] = n;
    begin = end;
  }
  slot.rearranged = true;
}

}  // namespace quern
