// Walks a ChunkSource the way a pipeline would, checks what every chunk promises, and gathers the matrix.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "host/core/chunk_source.hpp"

namespace quern::test {

using Row = std::vector<std::pair<std::uint32_t, double>>;

enum class Order {
  one_by_one,  // fetch, decode, fetch, decode
  backwards,   // fill every slot, then decode the last fetched first
  threads      // a thread a slot decodes while this one fetches
};

struct Walk {
  std::int64_t chunk_nnz = 1 << 20;
  int n_slots = 2;
  std::size_t budget_bytes = std::size_t{256} << 20;
  ValueType value_type = ValueType::f32;
  Order order = Order::one_by_one;
  bool chunks_known = true;  // the plan's n_chunks is no estimate
};

struct Walked {
  std::vector<Row> rows;
  ChunkFacts facts;
  std::int64_t n_chunks = 0;
  SourcePlan plan;
};

// Plans, starts, walks `n_passes` times (each must give the same) and returns the last. Checks with GoogleTest's EXPECT that chunks follow
// each other, that offsets and columns are as CsrChunkView promises and that nothing is written past the slot.
Walked walk(ChunkSource& source, const Walk& how, int n_passes = 1);

}  // namespace quern::test
