// The elements of one stored array, delivered range after range: fetched serially, decoded by whichever thread has the slot.
// A stored chunk that several slots need is read and decoded once, into a pool that the slots share.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "io/decode/chunk_decoder.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/source/file_bytes.hpp"

namespace quern::io {

// Where decoded elements go. `at` counts elements from the start of the slot's range.
class ElementWriter {
 public:
  virtual ~ElementWriter() = default;
  virtual std::byte* direct(std::size_t at) = 0;  // where stored bytes can be decoded in place; nullptr: use put
  virtual void put(const std::byte* raw, std::size_t n, std::size_t at) = 0;
};

class ElementStream {
 public:
  struct Range {
    std::int64_t first = 0, last = 0;  // elements
  };
  struct Needs {
    std::size_t staging_bytes = 0, pending_bytes = 0, shared_bytes = 0;
  };
  class Pending;  // a slot's notes between fetch and decode

  // `used` elements from the start are read (the array may be longer).
  ElementStream(RawDataset dataset, const std::string& file_path, std::int64_t used);
  ~ElementStream();

  const RawDataset& dataset() const { return dataset_; }

  // Planning: begin, every range in order, end. Touches HDF5. Throws resource_error("chunk-too-large") when a stored chunk is larger
  // than the budget allows and cannot be inflated piecewise.
  void begin_plan(int n_slots, std::int64_t chunk_nnz, std::size_t budget_bytes);
  void plan_range(Range range);
  Needs end_plan();

  std::unique_ptr<Pending> make_pending() const;
  void start(std::span<std::byte> shared);  // of a pass
  void fetch(Range range, Pending& pending, std::span<std::byte> staging);
  void decode(Pending& pending, std::span<std::byte> staging, ElementWriter& writer);
  // fetch does work of its own and leaves HDF5 alone: worth running beside another stream's.
  bool inflates_in_fetch() const { return mode_ == Mode::streamed; }
  std::int64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed) + file_.bytes_read(); }

 private:
  enum class Mode { chunks, streamed, contiguous, library };
  struct SharedChunk;
  struct Streamer;
  struct Piece;

  std::size_t element_bytes() const { return dataset_.type().bytes; }
  std::int64_t chunk_length() const { return static_cast<std::int64_t>(dataset_.chunk_dims()[0]); }
  void choose_mode();
  std::size_t stored_bound() const;
  Error stored_chunk_too_large(std::size_t bytes) const;
  Error chunk_too_large() const;
  void fetch_chunks(Range range, Pending& pending, std::span<std::byte> staging);
  void fetch_private(Piece& piece, std::size_t& staged, std::span<std::byte> staging);
  SharedChunk& shared_chunk(std::int64_t chunk);
  void drop_carry();
  void decode_piece(const Piece& piece, Pending& pending, std::span<std::byte> staging, ElementWriter& writer);
  void decode_shared(const Piece& piece, Pending& pending, ElementWriter& writer);
  void put_fill(const Piece& piece, std::span<std::byte> scratch, ElementWriter& writer) const;
  void fetch_streamed(Range range, std::span<std::byte> staging);
  void start_streaming(std::span<std::byte> buffer);
  void decode_contiguous(Range range, std::span<std::byte> staging, ElementWriter& writer);

  RawDataset dataset_;
  FileBytes file_;
  std::int64_t used_ = 0;
  Mode mode_ = Mode::library;

  // The plan.
  int n_slots_ = 0;
  std::int64_t chunk_nnz_ = 0, planned_chunk_ = -1;
  std::size_t budget_bytes_ = 0, max_stored_chunk_ = 0, max_range_ = 0, max_pieces_ = 0, max_staged_ = 0, scratch_bytes_ = 0;
  int n_shared_ = 0;
  bool sizes_are_bounded_ = false;  // stored_bound stands for the sizes of stored chunks

  // The pass.
  std::vector<std::unique_ptr<SharedChunk>> shared_;
  SharedChunk* carry_ = nullptr;  // the last chunk fetched, when the next range needs it too
  std::unique_ptr<Streamer> streamer_;
  std::atomic<std::int64_t> bytes_read_{0};  // through HDF5; file_ counts its own
};

}  // namespace quern::io
