// `quern qc -o`: the input with the statistics as columns of obs and var.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/qc_sets.hpp"
#include "cli/qc_tables.hpp"
#include "host/core/memory.hpp"
#include "host/core/sink.hpp"
#include "io/carry/copy_frame.hpp"
#include "io/file_info.hpp"

namespace quern::cli {

// Keeps the results of all cells and genes until they can be written. A sink. Claims what it keeps.
class QcAnnotations final : public Sink {
 public:
  // `matrix`: the types of the columns are those scanpy gives for a matrix of this type and storage.
  QcAnnotations(QcColumns columns, const GeneSets& sets, const io::MatrixInfo& matrix, MemoryBudget& budget);
  void begin(bool integer_mode) override { integer_mode_ = integer_mode; }
  void rows(RowPacket& packet) override;
  void finish(const ColumnResults& results) override;

  // After finish, in scanpy's order; they refer to this object.
  std::vector<io::NewColumn> obs() const;
  std::vector<io::NewColumn> var() const;

 private:
  struct Types {  // of counts of genes in a cell, of cells with a gene, of sums, of logs and shares of sums
    io::ColumnType cell_count, gene_count, sum, share;
  };
  static Types types_for(const io::MatrixInfo& matrix);
  template <class Value>
  io::NewColumn column(const std::string& name, io::ColumnType type, Value value) const;
  double total(std::size_t cell) const { return as_real(totals_[cell], integer_mode_); }

  QcColumns columns_;
  const GeneSets& sets_;
  Types types_;
  Claim claim_;
  bool integer_mode_ = true;
  std::size_t n_top_, n_sets_;
  std::vector<std::int32_t> n_nonzero_;
  std::vector<Total> totals_, top_, set_sums_;  // cell after cell
  ColumnResults genes_;
};

}  // namespace quern::cli
