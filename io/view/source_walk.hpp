// All chunks of a source, one after the other, in one slot of its own.
#pragma once
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"

namespace quern::io {

// Values are doubles. Plans and starts the source, which must outlive the walk; claims the slot from `budget`.
class SourceWalk {
 public:
  SourceWalk(ChunkSource& source, MemoryBudget& budget);
  bool next();                             // false at the end
  ChunkBuffer& chunk() { return chunk_; }  // before the first next() its rows are 0 .. 0

 private:
  ChunkSource& source_;
  ChunkBuffer chunk_;
  Claim claim_;
  std::vector<std::int32_t> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<double> values_;
  std::vector<std::byte> staging_, shared_;
};

}  // namespace quern::io
