// One run of `quern pca`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/gene_choice.hpp"
#include "cli/h5ad_writing.hpp"
#include "cli/session.hpp"
#include "cli/values_on.hpp"
#include "host/core/chunk_source.hpp"
#include "host/cpu/components.hpp"
#include "host/pipeline/pipeline.hpp"
#include "io/input.hpp"

namespace quern::cli {

struct PcaOptions {
  GeneChoice genes;
  std::int64_t n_comps = 0;  // 0: 50, or what the matrix allows
  std::string on = "stored", output;
  bool no_provenance = false;
  std::int64_t test_slots = 0, test_most_genes = 0;
};

// Which genes: as given; else, as scanpy does, those of var/highly_variable where there is such a column. "--mask none": all.
GeneChoice genes_for_pca(const GeneChoice& given, io::Input& input);

// As many as asked for, or the usual number. usage_error("too-many-components"); input_error "too-few-cells", "too-few-genes".
std::int64_t number_of_components(std::int64_t asked, std::int64_t n_cells, std::int64_t n_genes);

struct PcaOutcome {
  MatrixShape shape;
  GeneChoice genes;
  std::int64_t n_genes = 0, n_comps = 0, n_values = 0, file_bytes = 0;
  std::size_t kept_bytes = 0;  // of rows that the last pass need not decode again
  std::string route = "covariance";
  int steps = 1;      // passes over the rows before the scores
  double target = 0;  // of --on; 0: stored values
  double solve_seconds = 0, write_seconds = 0;
  std::string digest;
  RunReport run;
};

// The loadings of all genes, gene after gene: 0 for those that were not used. `places`: of the genes that were.
std::vector<double> loadings_of_all(const Components& components, std::span<const std::uint32_t> genes, std::int64_t n_vars);

// uns/pca as scanpy writes it.
void write_pca(const io::OutputGroup& uns, const PcaOutcome& outcome, const Components& components, const std::string& layer);

void tell(const PcaOutcome& outcome, const Components& components, const std::vector<std::string>& files, const std::string& matrix,
          Session& session);

}  // namespace quern::cli
