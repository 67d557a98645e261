#include "host/cpu/mapped_source.hpp"

#include "host/cpu/value_mapping.hpp"

namespace quern {

void MappedSource::start(std::span<std::byte> shared) {
  stored_facts_ = {};
  source_->start(shared);
}

void MappedSource::decode(ChunkBuffer& slot) {
  source_->decode(slot);
  {
    const std::scoped_lock lock(mutex_);
    stored_facts_.merge(slot.facts);
  }
  const CsrChunkView<MemorySpace::host> chunk{slot.rows.first, static_cast<std::int32_t>(slot.rows.size()),
                                              shape().n_cols,  slot.offsets,
                                              slot.columns,    slot.values,
                                              slot.value_type, slot.facts};
  slot.facts = map_by_totals(chunk, values_.target, values_.map, values_.rounded, slot.values);
}

}  // namespace quern
