// What `quern normalize` does with each chunk, pass by pass.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/digest.hpp"
#include "host/core/backend.hpp"
#include "host/pipeline/chunk_walk.hpp"
#include "io/carry/matrix_out.hpp"

namespace quern::cli {

// Finds the genes that have more than `max_fraction` of some cell's total: seen()[gene] is 1.
class FindDominantGenes final : public ChunkWork {
 public:
  FindDominantGenes(std::int64_t n_vars, double max_fraction) : max_fraction_(max_fraction), seen_(static_cast<std::size_t>(n_vars)) {}
  void compute(ChunkSlot& slot) override;
  void hand_on(ChunkSlot&) override {}
  std::vector<std::uint8_t>& seen() { return seen_; }

 private:
  double max_fraction_;
  std::vector<std::uint8_t> seen_;
};

// The total of every cell over all genes but those in `left_out`.
class CollectTotals final : public ChunkWork {
 public:
  CollectTotals(std::int64_t n_vars, std::span<const std::uint8_t> left_out, std::span<double> totals)
      : n_vars_(n_vars), left_out_(left_out), totals_(totals) {}
  void compute(ChunkSlot& slot) override;
  void hand_on(ChunkSlot& slot) override;
  bool rearranged() const { return rearranged_; }  // some rows are not stored in order

 private:
  std::int64_t n_vars_;
  std::span<const std::uint8_t> left_out_;
  std::span<double> totals_;
  bool rearranged_ = false;
};

struct WriteNormalizedOptions {
  std::int64_t n_vars = 0;
  double target_sum = 1;
  std::span<const std::uint8_t> left_out;  // genes that do not count for a cell's total
  std::span<const double> totals;          // of all cells, if they are known already; else empty
  std::span<double> factors;               // gets the size factor (total / target) of each cell; empty: not wanted
  ValueType value_type = ValueType::f32;   // that is written
};

// Replaces the values and writes them.
class WriteNormalized final : public ChunkWork {
 public:
  WriteNormalized(const WriteNormalizedOptions& options, Mapping& mapping, io::MatrixOut& out)
      : options_(options), mapping_(mapping), out_(out) {}
  void compute(ChunkSlot& slot) override;
  void hand_on(ChunkSlot& slot) override;
  void put_away() override { out_.write_full(); }

  std::int64_t n_empty() const { return n_empty_; }        // cells whose total is 0
  std::int64_t n_made_nan() const { return n_made_nan_; }  // values that are NaN only now
  // Over the written values, the columns, the entries of each row and the size factors, each in row order.
  std::string digest() const { return combined_digest(hashes_); }

 private:
  WriteNormalizedOptions options_;
  Mapping& mapping_;
  io::MatrixOut& out_;
  std::int64_t n_empty_ = 0;
  std::atomic<std::int64_t> n_made_nan_ = 0;
  std::array<ArrayHash, 4> hashes_;
  std::vector<std::int32_t> row_sizes_;  // reused
};

// numpy's median of those above 0; NaN when there are none. Takes a copy of as many bytes.
double median_of_positive(std::span<const double> totals);

}  // namespace quern::cli
