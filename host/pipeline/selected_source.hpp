// A matrix of which only some genes are seen.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/core/chunk_source.hpp"

namespace quern {

// Chunks of `source` without the entries of genes that are left out; the others are numbered anew, in their order. What facts say is of
// all genes. No pass more; 4 bytes a gene of the source, which the caller claims.
class SelectedSource final : public ChunkSource {
 public:
  // kept[gene] is 0 for those that are left out.
  SelectedSource(ChunkSource& source, std::span<const std::uint8_t> kept);

  MatrixShape shape() const override;  // nnz: an upper bound
  ValueType natural_value_type() const override { return source_.natural_value_type(); }
  SourcePlan plan(const ChunkTargets& targets) override { return source_.plan(targets); }
  std::unique_ptr<ChunkBuffer::Pending> make_pending() const override { return source_.make_pending(); }
  void start(std::span<std::byte> shared) override { source_.start(shared); }
  bool fetch(ChunkBuffer& slot) override { return source_.fetch(slot); }
  void decode(ChunkBuffer& slot) override;
  bool reads_fast() const override { return source_.reads_fast(); }
  std::int64_t bytes_read() const override { return source_.bytes_read(); }

 private:
  template <class V>
  void leave_out(ChunkBuffer& slot) const;
  ChunkSource& source_;
  std::vector<std::uint32_t> places_;  // of the genes of the source among those that are kept
  std::int64_t n_kept_ = 0;
};

}  // namespace quern
