// The matrix of a verb that computes with products of genes: the genes chosen, the memory it takes, walks over it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include "cli/gene_choice.hpp"
#include "cli/session.hpp"
#include "cli/values_on.hpp"
#include "host/core/memory.hpp"
#include "host/pipeline/pipeline.hpp"
#include "host/pipeline/selected_rows.hpp"
#include "io/input.hpp"

namespace quern::cli {

// The verb's work is on the processor: says so in the report. usage_error("no-device-work") for --backend cuda.
void use_processor(const std::string& what, Session& session);

class SelectedMatrix {
 public:
  // Opens the matrix of `input`, which outlives this; `flags` are of its genes.
  SelectedMatrix(io::Input& input, const ValuesOn& on, std::span<const std::uint8_t> flags, MemoryBudget& budget);

  const GeneSelection& genes() const { return genes_; }
  const MatrixShape& shape() const { return shape_; }
  int passes_before() const { return values_.extra_passes(); }  // the first walk
  double target() const { return values_.target(); }            // of --on; 0: stored values, or not known yet
  // One pass in blocks of block_rows; again with 64-bit values where 32 bits do not hold them, `start` giving who takes the blocks of each.
  // Adds to `all`. Returns how many values of these genes there are.
  std::int64_t walk(std::int64_t block_rows, const std::function<BlockUser&()>& start, const PipelineOptions& options, RunReport& all);
  // Before anything is read: throws resource_error("over-budget") when a walk beside `kept_bytes` more than is claimed now would not fit,
  // naming what would do. Returns the plan of the walk.
  PipelinePlan plan(std::int64_t block_rows, std::size_t kept_bytes, const std::string& what, const PipelineOptions& options);

 private:
  SelectedRowsShape rows_shape(std::int64_t block_rows) const { return {shape_.n_rows, block_rows, shape_.nnz}; }
  ValuesSource values_;
  MemoryBudget& budget_;
  MatrixShape shape_;
  ValueType type_;
  Claim claim_;
  GeneSelection genes_;
};

}  // namespace quern::cli
