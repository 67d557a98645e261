// Principal components of more genes than a matrix of their products is made for.
#pragma once
#include <cstdint>

#include "cli/selected_matrix.hpp"
#include "host/core/memory.hpp"
#include "host/cpu/krylov.hpp"
#include "host/pipeline/kept_rows.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern::cli {

// Up to so many genes their products are made; of more, a block Krylov space.
constexpr std::int64_t most_genes_with_products = 8000;
// Passes over the rows; what is then found is told with a warning.
constexpr int most_krylov_passes = 60;

struct ManyGenesPlan {
  const SelectedMatrix& matrix;
  std::int64_t n_comps;
  int threads;
  std::int64_t most_values() const;  // in a block of rows
  std::size_t bytes() const;
};

// The first pass reads the matrix and keeps it in `kept`, if that has room; later ones read it from there, else again. Adds to `all` what
// was read; `n_values`: stored values of these genes.
KrylovResult components_of_many_genes(const ManyGenesPlan& plan, SelectedMatrix& matrix, KeptRows& kept, const PipelineOptions& options,
                                      MemoryBudget& budget, RunReport& all, std::int64_t& n_values);

}  // namespace quern::cli
