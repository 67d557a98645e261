// One run of `quern convert`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "cli/session.hpp"
#include "host/core/chunk_source.hpp"
#include "host/pipeline/pipeline.hpp"
#include "io/h5ad_write/compression.hpp"
#include "io/input.hpp"

namespace quern::cli {

struct ConvertOptions {
  std::string output, to, compression, dtype = "keep";
  std::int64_t chunk = 0;
  bool no_provenance = false;
  std::int64_t test_slots = 0;
};

// The options, checked.
struct ConvertPlan {
  io::Compression compression;
  std::int64_t chunk_length = 0;  // 0: the usual one
  std::string dtype;              // numpy's name; empty: what the values are
  bool keeps_chunks = false;      // stored chunks that every reader can use stay as they are
};

// Throws usage_error: "bad-compression".
ConvertPlan check_options(const ConvertOptions& options);

// What the output takes on disk beyond all that the input holds, roughly and rather too little.
std::int64_t added_bytes(const io::FileInfo& info, const io::MatrixInfo& matrix, const ConvertPlan& plan);

// Warns of what an h5ad holds that only an h5ad can hold ("left-out").
void warn_of_what_stays_behind(const io::FileInfo& info, const io::MatrixInfo& matrix, Session& session);

struct ConvertOutcome {
  MatrixShape shape;
  std::string format = "h5ad", value_type;
  std::int64_t nnz = 0, file_bytes = 0;
  bool copied_indices = false, copied_data = false;
  std::string digest;
  RunReport run;  // of all passes; facts: of the values that were read
};

void tell(const ConvertOutcome& outcome, const ConvertOptions& options, const std::string& matrix, Session& session);
}  // namespace quern::cli
