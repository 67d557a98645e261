// How the chunks of a matrix are walked while it is carried over: by whoever has the threads.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"

namespace quern::io {

// What is done with every chunk.
class ChunkVisitor {
 public:
  virtual ~ChunkVisitor() = default;
  virtual void compute(ChunkBuffer& chunk) = 0;        // decoded; may be concurrent, on different chunks; may change the chunk
  virtual void hand_on(const ChunkBuffer& chunk) = 0;  // serial, in row order
  virtual void put_away() {}                           // serial, after each hand_on; may be beside the next one
};

// One pass over the source with values of this type, which must hold them all.
using VisitChunks = std::function<void(ChunkSource& source, ValueType type, ChunkVisitor& visitor)>;

// Gives away a source of all of a matrix that the caller has at hand, by the path of its values; null where there is none.
using TakeSource = std::function<std::unique_ptr<ChunkSource>(const std::string& data_path)>;

// One chunk after the other, on the calling thread; values are always doubles.
VisitChunks visit_serially(MemoryBudget& budget);

}  // namespace quern::io
