// Where rows come from. A source is planned once, then walked as often as the operations need passes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/core/csr_chunk.hpp"
#include "host/core/memory.hpp"

namespace quern {

struct RowRange {  // global rows first .. last, last excluded
  std::int64_t first = 0, last = 0;
  std::int64_t size() const { return last - first; }
};

struct MatrixShape {
  std::int64_t n_rows = 0, n_cols = 0;
  std::int64_t nnz = -1;  // entries stored on disk; -1: dense
};

// One slot of the ring. The pointers are set once by the ring; the source fills the rest.
struct ChunkBuffer {
  RowRange rows;
  std::int32_t* offsets = nullptr;   // max_rows + 1
  std::uint32_t* columns = nullptr;  // max_nnz
  std::byte* values = nullptr;       // max_nnz of value_type
  std::span<std::byte> staging;      // stored bytes between fetch and decode
  ValueType value_type = ValueType::f32;
  ChunkFacts facts;           // set by decode
  bool rearranged = false;    // CSR: decode sorted entries or summed duplicates, the stored columns are not those here
  std::int64_t sequence = 0;  // number of the chunk in this pass, from 0
  struct Pending {            // the source's own notes between fetch and decode
    virtual ~Pending() = default;
  };
  std::unique_ptr<Pending> pending;  // made once per slot by ChunkSource::make_pending, reused

  template <class V>
  V* values_as() const {
    return reinterpret_cast<V*>(values);
  }
};

constexpr std::int64_t most_chunk_nnz = std::int64_t{1} << 30;  // chunk offsets are 32-bit

// What the plan may use, and how large chunks should be.
struct ChunkTargets {
  std::int64_t chunk_nnz = 0;     // target of stored values a chunk (a chunk holds at least one row whatever this says)
  int n_slots = 2;                // chunks in flight
  std::size_t budget_bytes = 0;   // for n_slots slots and what the slots share
  std::size_t bytes_per_row = 0;  // row results the run keeps in each slot
  ValueType value_type = ValueType::f32;
  std::int64_t max_rows = 16384;  // of a chunk
  std::int64_t first_row = 0;     // nobody wants the rows before it
};

struct SlotShape {  // what one slot must hold; the same for every slot
  std::int32_t max_rows = 0, max_nnz = 0;
  std::size_t staging_bytes = 0;
  std::size_t pending_bytes = 0;  // what make_pending allocates
};

struct SourcePlan {
  SlotShape slot;
  std::int64_t n_chunks = 0;
  std::int64_t first_row = 0;    // where passes will begin: the row asked for, or 0 where the source knows no other
  std::size_t shared_bytes = 0;  // one block for all slots (stored chunks that straddle two slots, bands of dense tiles ...)
  // What the source will keep in memory besides, if the budget then has `spare_bytes` left; else it goes to a temporary file.
  std::size_t kept_bytes = 0, spare_bytes = 0;
};

// Not thread-safe but for decode, which may run on different slots at once. The chunks between their fetch and the end of their decode
// are at most n_slots consecutive ones: a slot is fetched into again only when every chunk before its last one is decoded too.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  virtual MatrixShape shape() const = 0;
  // The value type that holds every value of the stored type; f32 is tried first for stored 32-bit integers (see `decode`).
  virtual ValueType natural_value_type() const = 0;
  // Cuts the rows into chunks. Throws resource_error when the targets cannot be met, naming the least that would do.
  virtual SourcePlan plan(const ChunkTargets& targets) = 0;
  virtual std::unique_ptr<ChunkBuffer::Pending> make_pending() const { return nullptr; }
  // Starts a pass with the block the plan asked for (shared.size() >= shared_bytes).
  virtual void start(std::span<std::byte> shared) = 0;
  // Serial, in order; the only call of a pass that may touch HDF5. Sets slot.rows, reads stored bytes. False at the end.
  virtual bool fetch(ChunkBuffer& slot) = 0;
  // Fills offsets, columns, values, facts; validates every index and value; sorts rows and sums duplicates where needed.
  // A stored integer that value_type cannot hold exactly: throws NeedsWiderValues.
  virtual void decode(ChunkBuffer& slot) = 0;
  // A pass costs little more than reading memory does: nothing is gained by keeping its chunks.
  virtual bool reads_fast() const { return false; }
  virtual std::int64_t bytes_read() const = 0;  // stored bytes fetched so far, all passes
};

// A pass in f32 met a whole number that float32 cannot hold: the pass is run again in f64.
class NeedsWiderValues : public std::exception {
 public:
  const char* what() const noexcept override { return "values need 64 bits"; }
};

// The names of rows or columns, as stored; read in ranges so that nothing needs all of them at once.
class NameSource {
 public:
  virtual ~NameSource() = default;
  virtual std::int64_t size() const = 0;
  // Replaces the contents of `names` by those of `range`. Serial (may touch HDF5).
  virtual void read(RowRange range, std::vector<std::string>& names) = 0;
  // Whether reading may crash on damaged input (HDF5 does), so that a child process must have read all of it before.
  virtual bool may_crash() const { return true; }
};

}  // namespace quern
