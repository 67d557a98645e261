// One run of `quern normalize`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "host/core/chunk_source.hpp"
#include "host/ops/value_map.hpp"
#include "host/pipeline/pipeline.hpp"
#include "io/h5ad_write/compression.hpp"
#include "io/input.hpp"

namespace quern::cli {

struct NormalizeOptions {
  std::string target_sum, output, key_added, counts_layer, compression = "gzip:1";
  bool cpm = false, no_log1p = false, exclude_highly_expressed = false, no_provenance = false;
  double base = 0, max_fraction = 0.05;  // base 0: natural logarithms
  std::int64_t test_slots = 0;
};

// The options, checked.
struct NormalizePlan {
  double target_sum = 0;  // 0: the median
  ValueMap map;
  io::Compression compression;
  int passes(const NormalizeOptions& options) const { return 1 + (target_sum == 0) + options.exclude_highly_expressed; }
};

// Throws usage_error: "two-choices", "bad-number", "bad-compression", "bad-value".
NormalizePlan check_options(const NormalizeOptions& options);

// What the output takes on disk beyond all that the input holds, roughly and rather too little: a negative number where X gets smaller.
std::int64_t added_bytes(const io::FileInfo& info, const io::MatrixInfo& matrix, const NormalizeOptions& options,
                         const NormalizePlan& plan);

struct NormalizeOutcome {
  MatrixShape shape;
  double target_sum = 0;
  std::int64_t n_empty = 0, n_excluded = 0, n_made_nan = 0, nnz = 0, file_bytes = 0;
  double write_seconds = 0;  // for what is carried over, and to look at the finished file
  bool copied_indices = false;
  std::string digest;
  RunReport run;  // of all passes; facts: of the values that were read
};

// Warnings that the values and what the file says of them call for.
void warn_before_normalizing(const io::FileInfo& info, Session& session);
void warn_after_normalizing(const NormalizeOutcome& outcome, const io::FileInfo& info, const std::string& matrix, Session& session);
void tell(const NormalizeOutcome& outcome, const NormalizeOptions& options, const NormalizePlan& plan, const std::string& matrix,
          Session& session);

}  // namespace quern::cli
