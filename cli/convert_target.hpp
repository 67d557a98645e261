// Where the rows of `quern convert` go: one class a format.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "cli/convert_run.hpp"
#include "cli/convert_work.hpp"
#include "host/core/memory.hpp"
#include "io/hdf5/types.hpp"
#include "io/input.hpp"

namespace quern::cli {

// How the matrix is written, as far as it is known; a pass may find that it is not so and is then begun again.
struct ConvertPass {
  MatrixShape shape;  // nnz -1: not known
  std::string value_type;
  bool keeps_chunks = false;  // stored chunks are copied where they can be
  bool whole = true;          // matrix directories: all values are whole numbers
};

class ConvertTarget : public ConvertOutput {
 public:
  // While the process has one thread. `matrix` is null for an h5ad without X. Throws for what the format cannot hold.
  virtual void open(io::Input& input, const io::MatrixInfo* matrix) = 0;
  // numpy's name of the type that values are written in.
  virtual std::string value_type(const io::FileInfo& info, const io::MatrixInfo& matrix) const = 0;
  // What begin would claim.
  virtual std::size_t memory_bytes(const ConvertPass& pass, const MemoryBudget& budget) const = 0;
  // What commit claims at most, roughly.
  virtual std::size_t rest_bytes(const MatrixShape& shape) const = 0;
  // Begins the matrix; the type that append takes.
  virtual io::ElementType begin(const ConvertPass& pass, MemoryBudget& budget) = 0;
  // All rows have been appended. False: what was written says another number of entries; begin again with the right one.
  virtual bool finish(ConvertOutcome& outcome) = 0;
  // Forgets all that was written.
  virtual void start_over() = 0;
  // Writes what else belongs there and puts the output in place; outcome.file_bytes is set.
  virtual void commit(ConvertOutcome& outcome, MemoryBudget& budget) = 0;
  virtual std::int64_t bytes_planned() const = 0;
};

// By --to, else by the name of the output. Checks the options against the format; refuses targets that cannot be. usage_error
// "unknown-extension", "bad-value".
std::unique_ptr<ConvertTarget> make_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session);

std::unique_ptr<ConvertTarget> make_h5ad_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session);
std::unique_ptr<ConvertTarget> make_tenx_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session);
std::unique_ptr<ConvertTarget> make_mtx_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session);

}  // namespace quern::cli
