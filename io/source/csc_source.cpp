// ChunkSource of a CSC matrix: its three arrays are walked twice, once to count the entries of each cell and once to place them.
#include <algorithm>
#include <utility>

#include "host/core/error.hpp"
#include "io/decode/convert.hpp"
#include "io/source/entry_walk.hpp"
#include "io/source/late_rows_source.hpp"
#include "io/source/row_pointers.hpp"
#include "io/source/transposer.hpp"
#include "io/sources.hpp"

namespace quern::io {
namespace {

MatrixInput by_genes(MatrixInput input) {
  std::swap(input.matrix.rows, input.matrix.cols);
  input.matrix.storage = Storage::csr;
  input.columns = {};
  return input;
}

class CscSource final : public LateRowsSource {
 public:
  CscSource(const MatrixInput& input, RowPointers genes, MemoryBudget& memory)
      : LateRowsSource({input.matrix.rows, input.columns.to.empty() ? input.matrix.cols : input.columns.n_kept, genes.used()},
                       input.matrix.cols, input.matrix.name.empty() ? input.matrix.indices.path : input.matrix.name, memory),
        genes_(std::move(genes)),
        columns_(input.columns),
        walk_(input, genes_.used()),
        transposer_(input.matrix.rows, input.matrix.indices.path, input.tmp_dir, memory) {}

  ValueType natural_value_type() const override { return walk_.natural_value_type(); }
  std::int64_t bytes_read() const override { return walk_.bytes_read(); }

 protected:
  std::size_t workspace_bytes(ValueType type, std::size_t left) override {
    const std::int64_t n_genes = static_cast<std::int64_t>(genes_.all().size()) - 1;
    walk_bytes_ = walk_.plan(type, left / 2);
    return walk_bytes_ + Transposer::spill_bytes(genes_.used(), n_genes, type, left - std::min(left, walk_bytes_));
  }
  bool stores_integers() const override { return walk_.stores_integers(); }
  std::size_t kept_bytes(ValueType type) const override { return Transposer::kept_bytes(genes_.used(), type); }
  bool ready(ValueType type) const override { return transposer_.holds(type); }
  std::span<const std::int64_t> row_pointers() const override {
    return known_ ? transposer_.row_pointers() : std::span<const std::int64_t>{};
  }

  void learn(ValueType type, std::span<std::byte> workspace) override {
    known_ = false;
    transposer_.begin_counting();
    walk_.indices_only(workspace.first(walk_bytes_), [this](const EntryWalk::Batch& batch) {
      for_each_gene(batch, [&](std::int32_t, std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i) transposer_.count(batch.indices[i]);
      });
    });
    transposer_.end_counting();
    transposer_.begin_placing(type, workspace.subspan(walk_bytes_), spare_bytes());
    walk_.all(type, workspace.first(walk_bytes_), [&](const EntryWalk::Batch& batch) {
      if (type == ValueType::f32)
        place(batch, reinterpret_cast<const float*>(batch.values));
      else
        place(batch, reinterpret_cast<const double*>(batch.values));
    });
    transposer_.end_placing();
    known_ = true;
  }

  void fill(ChunkBuffer& slot) override { transposer_.read(slot); }

 private:
  // Calls f(column of the result, first, last) for the part of each kept gene within the batch.
  template <class F>
  void for_each_gene(const EntryWalk::Batch& batch, F f) {
    const auto pointers = genes_.all();
    const std::int64_t end = batch.first + static_cast<std::int64_t>(batch.n);
    auto gene = static_cast<std::size_t>(std::upper_bound(pointers.begin(), pointers.end(), batch.first) - pointers.begin()) - 1;
    for (std::int64_t at = batch.first; at < end; ++gene) {
      const std::int64_t last = std::min(end, pointers[gene + 1]);
      const std::int32_t column = columns_.to.empty() ? static_cast<std::int32_t>(gene) : columns_.to[gene];
      if (column >= 0) f(column, static_cast<std::size_t>(at - batch.first), static_cast<std::size_t>(last - batch.first));
      at = last;
    }
  }
  template <class V>
  void place(const EntryWalk::Batch& batch, const V* values) {
    for_each_gene(batch, [&](std::int32_t column, std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) transposer_.place(batch.indices[i], static_cast<std::uint32_t>(column), values[i]);
    });
  }

  RowPointers genes_;
  ColumnMap columns_;
  EntryWalk walk_;
  Transposer transposer_;
  std::size_t walk_bytes_ = 0;
  bool known_ = false;
};

}  // namespace

std::unique_ptr<ChunkSource> make_csc_source(const MatrixInput& input, MemoryBudget& budget) {
  return std::make_unique<CscSource>(input, RowPointers::read(by_genes(input), budget), budget);
}

}  // namespace quern::io
