// What each cell is and which genes it expresses. A cell is a pure function of the spec and its number.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "datasets/alias_table.hpp"
#include "datasets/gene_catalog.hpp"
#include "datasets/preset.hpp"

namespace quern::datasets {

struct Cell {
  std::int32_t sample = 0, cluster = 0;
  std::int32_t n_genes = 0;  // distinct genes: the row's stored values
};

// Where the counts of a cell come from: upper limits of 16-bit random numbers, source after source.
struct SourceMix {
  std::uint32_t mito = 0, ribo = 0, ambient = 0;
  std::array<std::uint32_t, 3> programmes{};  // what is left over is the base profile
  std::array<std::uint16_t, 3> programme_ids{};
};

// A cell's counts come in bursts: each burst picks a gene from the cell's profile (a mixture of a base profile, three gene programmes of
// its cluster, mitochondrial and ribosomal genes) and adds a number of counts with the logarithmic distribution. For a given depth
// that is the negative binomial. Bursts go on until the cell has the number of distinct genes drawn for it, so that the row lengths of
// a whole file are known without making a row.
class CellModel {
 public:
  CellModel(const GenerateSpec& spec, const GeneCatalog& genes);

  // About 30 ns.
  Cell cell(std::int64_t number) const;
  int n_tissues() const { return static_cast<int>(clusters_of_tissue_.size()); }
  int tissue_of(std::int32_t sample) const { return sample % n_tissues(); }
  // Bytes of the tables, for the budget.
  std::size_t bytes() const;

 private:
  friend class RowSampler;
  struct Cluster {
    SourceMix mix;
    double size = 1;
  };
  void make_tables(const GeneCatalog& genes);
  void make_clusters();
  void make_tissues();
  SourceMix mix_of(std::int64_t number, const Cell& cell) const;

  GenerateSpec spec_;
  AliasTable mito_, ribo_, ambient_, base_;
  std::vector<AliasTable> programmes_;
  std::vector<Cluster> clusters_;
  std::vector<AliasTable> clusters_of_tissue_;
  double size_scale_ = 1;  // makes the mean over cells genes_per_cell
};

// Makes rows; one per thread. O(counts of the cell), about 5 ns a burst.
class RowSampler {
 public:
  RowSampler(const CellModel& model, const GeneCatalog& genes);
  struct Totals {
    std::uint32_t counts = 0, mito = 0, ribo = 0;
  };
  // Fills `columns` (ascending) and `counts`, cell.n_genes of each.
  Totals sample(std::int64_t number, const Cell& cell, std::int32_t* columns, std::uint32_t* counts);
  static std::size_t bytes(std::size_t n_genes) { return n_genes * (sizeof(std::uint32_t) + 1); }

 private:
  bool add(std::uint32_t gene, std::uint32_t count);
  std::int32_t burst(std::int64_t number, const Cell& cell);
  void fill_up(std::int64_t number, std::int32_t missing);
  Totals emit(std::int32_t* columns, std::uint32_t* counts);
  const CellModel& model_;
  const GeneCatalog& genes_;
  std::vector<std::uint32_t> counts_;    // by gene, all zero between cells
  std::vector<std::uint64_t> occupied_;  // one bit a gene
};

}  // namespace quern::datasets
