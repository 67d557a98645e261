#include "io/carry/chunk_visit.hpp"

#include "io/view/source_walk.hpp"

namespace quern::io {

VisitChunks visit_serially(MemoryBudget& budget) {
  return [&budget](ChunkSource& source, ValueType, ChunkVisitor& visitor) {
    SourceWalk walk(source, budget);
    while (walk.next()) {
      visitor.compute(walk.chunk());
      visitor.hand_on(walk.chunk());
      visitor.put_away();
    }
  };
}

}  // namespace quern::io
