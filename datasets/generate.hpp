// Writes a whole synthetic data set.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/preset.hpp"
#include "host/core/memory.hpp"
#include "io/safe_file.hpp"

namespace quern::datasets {

struct GeneratePlan {
  std::int64_t n_cells = 0, n_genes = 0, nnz = 0;  // nnz is exact: row lengths are drawn before rows
  std::int64_t chunk_length = 0;                   // elements of a stored chunk of values and indices
  std::int64_t n_chunks = 0;
  bool wide_indices = false;
  std::size_t memory_bytes = 0;       // what the run claims from its budget at most
  std::int64_t least_file_bytes = 0;  // room that the disk must have
};

struct GenerateOptions {
  int threads = 1;
  io::OutputOptions output;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  // stored values; may throw to stop
};

struct GenerateReport {
  GeneratePlan plan;
  std::int64_t total_counts = 0;
  std::int64_t file_bytes = 0;
  std::vector<io::Warning> warnings;
};

// Draws the row lengths; writes nothing. About 30 ns a cell on one thread.
GeneratePlan plan_generation(const GenerateSpec& spec, int threads);

// The bytes of the file depend on the spec (and the versions of the compression library and HDF5) only. Either the whole file appears
// at `path` or nothing. Throws output_error, resource_error, and what `progress` throws.
GenerateReport generate(const GenerateSpec& spec, const std::string& path, MemoryBudget& budget, const GenerateOptions& options);

}  // namespace quern::datasets
