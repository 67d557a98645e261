// --on: which values of the matrix a verb computes with. Nothing normalised is ever written for it.
#pragma once
#include <memory>
#include <string>

#include "cli/session.hpp"
#include "host/core/chunk_source.hpp"
#include "host/cpu/mapped_source.hpp"
#include "host/pipeline/pipeline.hpp"
#include "io/file_info.hpp"

namespace quern::cli {

// stored: as they are. counts_per: x / (total of the cell / target). log1p: the natural logarithm of 1 + that.
//
// What a product sees is the value that `quern normalize` would have written: computed in double, rounded once to float32 (to float64
// where the matrix is stored as float64), so that `pca --on log1p:1e4` and `normalize --target-sum 1e4` followed by `pca` give the same
// bits. Totals are of all the genes of the matrix, whichever genes a verb goes on with; cells without counts stay as they are.
struct ValuesOn {
  enum class Kind { stored, counts_per, log1p };
  Kind kind = Kind::stored;
  double target = 0;  // 0: the median of the totals above 0

  bool mapped() const { return kind != Kind::stored; }
  bool needs_median() const { return mapped() && target == 0; }
  std::string text() const;  // as it would be given: "log1p:10000"
};

void declare_values_on(OptionSet& set, std::string& target);  // --on
// "stored", "counts-per:T", "log1p:T" with T a number above 0 or "median"; also "counts" (stored), "normalized" (counts-per:median) and
// "log1p-cpm" (log1p:1e6). usage_error("bad-value", "bad-number").
ValuesOn parse_values_on(const std::string& text);

// Warnings of what --on makes of values that it is not meant for: before the run what the file says of X, after it what the values say.
void warn_of_values_on(const ValuesOn& on, const io::FileInfo& info, Session& session);
void warn_of_stored_values(const ValuesOn& on, const ChunkFacts& stored, const io::FileInfo& info, const std::string& matrix,
                           const MatrixShape& shape, Session& session);

// The opened matrix with the values that --on names: owns the source, and knows what the target became.
class ValuesSource {
 public:
  // `rounded`: what normalised values are rounded to. With stored values source() is the source itself.
  ValuesSource(std::unique_ptr<ChunkSource> source, const ValuesOn& on, ValueType rounded);
  // Rounded as `quern normalize` would have written the values of `matrix`, which the source reads.
  ValuesSource(std::unique_ptr<ChunkSource> source, const ValuesOn& on, const io::MatrixInfo& matrix);

  // With a target of median: one pass over the matrix, which is added to `all`. Claims 8 bytes a cell, twice, while it lasts. Else, and
  // once the target is known, does nothing. source() is another one after it. The median is NaN when no cell has counts.
  void find_target(MemoryBudget& budget, const PipelineOptions& options, RunReport& all);

  ChunkSource& source() { return *source_; }
  double target() const { return on_.target; }  // 0: the values are stored ones, or find_target has not run
  int extra_passes() const { return on_.needs_median() ? 1 : 0; }
  // Of what was read, as it is stored; `seen` are the facts that the verb's own pass met.
  const ChunkFacts& stored_facts(const ChunkFacts& seen) const { return mapped_ ? mapped_->stored_facts() : seen; }

 private:
  void map_values();
  std::unique_ptr<ChunkSource> source_;
  MappedSource* mapped_ = nullptr;  // source_, where values are mapped
  ValuesOn on_;
  ValueType rounded_ = ValueType::f32;
};

}  // namespace quern::cli
