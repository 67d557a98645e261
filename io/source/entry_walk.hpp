// Walks the entries of a compressed sparse matrix in stored order, without regard to its rows: decoded by several threads, handed on by
// one at a time.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "io/source/element_stream.hpp"
#include "io/sources.hpp"

namespace quern::io {

class EntryWalk {
 public:
  struct Batch {
    std::int64_t first = 0;  // number of the first entry
    std::size_t n = 0;
    const std::uint32_t* indices = nullptr;  // checked: below the number of matrix rows
    const std::byte* values = nullptr;       // nullptr in indices_only
  };
  using Visit = std::function<void(const Batch&)>;

  // `used`: entries from the start that belong to the matrix. Indices number the matrix's rows (cells).
  EntryWalk(const MatrixInput& input, std::int64_t used);

  ValueType natural_value_type() const;
  bool stores_integers() const { return values_.dataset().type().kind != StoredKind::real; }
  std::int64_t bytes_read() const { return indices_.bytes_read() + values_.bytes_read(); }

  // Bytes of workspace; about `left` or less where possible. Touches HDF5.
  std::size_t plan(ValueType type, std::size_t left);
  // In stored order, one batch at a time. Throw input_error("bad-index") and what decoding throws (NeedsWiderValues), Interrupted.
  void indices_only(std::span<std::byte> workspace, const Visit& visit) { walk(ValueType::f32, false, workspace, visit); }
  void all(ValueType type, std::span<std::byte> workspace, const Visit& visit) { walk(type, true, workspace, visit); }

 private:
  struct Slot;
  std::size_t plan_batches(ValueType type, std::int64_t batch, std::size_t left);
  void walk(ValueType type, bool with_values, std::span<std::byte> workspace, const Visit& visit);
  bool fetch(Slot& slot, bool with_values, std::int64_t& next);
  void decode(Slot& slot, ValueType type, bool with_values);

  std::string path_;
  std::int64_t used_, n_rows_;
  int threads_;
  const std::atomic<bool>* stop_;
  ElementStream indices_, values_;
  std::int64_t batch_ = 0;
  ElementStream::Needs for_indices_, for_values_;
};

}  // namespace quern::io
