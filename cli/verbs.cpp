#include "cli/command.hpp"

namespace quern::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"info", "what a file holds: matrices, columns, keys",
       "quern info pbmc.h5ad\n"
       "quern info pbmc.h5ad uns/neighbors\n"
       "quern info any.h5 --tree\n",
       make_info},
      {"show", "a part of a matrix, a table or any other element",
       "quern show pbmc.h5ad --rows :5 --cols :5           # of X\n"
       "quern show pbmc.h5ad obs --rows 0:5\n"
       "quern show pbmc.h5ad raw --col-names CD3E,MS4A1 --sparse\n"
       "quern show pbmc.h5ad uns/tissue_categories\n",
       make_show},
      {"check", "whether files are whole and right",
       "quern check pbmc.h5ad\n"
       "quern check --deep *.h5ad                          # also every stored value\n"
       "quern check --deep pbmc.h5ad --json -\n",
       make_check},
      {"qc", "cell and gene statistics, as scanpy's calculate_qc_metrics",
       "quern qc pbmc.h5ad\n"
       "quern qc pbmc.h5ad --layer raw --cells-out cells.tsv --genes-out genes.tsv.gz\n"
       "quern qc pbmc.h5ad --qc-vars ribo --qc-vars 'hb=^HB[AB]' --json -\n",
       make_qc},
      {"filter", "leave out cells and genes, as scanpy's filter_cells and filter_genes",
       "quern filter pbmc.h5ad -o filtered.h5ad --min-genes 200 --min-cells 3\n"
       "quern filter pbmc.h5ad -o filtered.h5ad --max-pct mt=5 --max-counts 2e4\n"
       "quern filter pbmc.h5ad -o part.h5ad --keep-cells @cells.txt --keep-genes @genes.txt\n",
       make_filter},
      {"normalize", "every cell to the same total, then log1p, as scanpy's normalize_total and log1p",
       "quern normalize pbmc.h5ad -o normal.h5ad\n"
       "quern normalize pbmc.h5ad -o normal.h5ad --target-sum 1e4 --counts-layer counts\n"
       "quern normalize pbmc.h5ad -o cpm.h5ad --cpm --no-log1p --key-added size_factor\n",
       make_normalize},
      {"hvg", "the highly variable genes, as scanpy's highly_variable_genes",
       "quern hvg counts.h5ad --on log1p:1e4 --n-top 2000 -o chosen.h5ad\n"
       "quern hvg normal.h5ad --list genes.txt             # by scanpy's bounds\n"
       "quern hvg normal.h5ad --flavor cell_ranger --n-top 1000 --batch-key sample -o genes.tsv\n",
       make_hvg},
      {"aggregate", "sums, means and variances of groups of cells, as scanpy's get.aggregate",
       "quern aggregate counts.h5ad --by sample,cell_type -o pseudobulk.h5ad\n"
       "quern aggregate counts.h5ad --by cell_type --func mean,count_nonzero --on log1p:1e4 -o means.h5ad\n"
       "quern aggregate counts.h5ad --by sample -o sums.tsv.gz        # a line a gene, a column a sample\n",
       make_aggregate},
      {"convert", "from one format or layout to another: to a modern h5ad, a 10x .h5 or a matrix directory",
       "quern convert old.h5ad -o new.h5ad\n"
       "quern convert slow.h5ad -o quick.h5ad --compression gzip:4,shuffle --chunk 100000\n"
       "quern convert filtered_feature_bc_matrix -o counts.h5ad\n"
       "quern convert counts.h5ad -o counts.h5                # 10x, for Cell Ranger's tools\n"
       "quern convert counts.h5ad -o folder/                  # matrix.mtx.gz, features.tsv.gz, barcodes.tsv.gz\n"
       "quern convert dense.h5ad -o counts.h5ad --dtype int32\n",
       make_convert},
      {"gram", "products of genes with genes: the Gram matrix, covariances or correlations",
       "quern gram pbmc.h5ad --genes @markers.txt -o products.npy\n"
       "quern gram pbmc.h5ad --mask var/highly_variable --kind corr -o correlations.tsv.gz\n",
       make_gram},
      {"pca", "principal components, as scanpy's pp.pca, in bounded memory",
       "quern pca normal.h5ad -o pca.h5ad\n"
       "quern pca counts.h5ad --on log1p:1e4 --genes @variable.txt -o scores.npy\n"
       "quern pca normal.h5ad --mask none --n-comps 30 -o pca.h5ad\n",
       make_pca},
      {"multiply", "the matrix, or its transpose, times a dense matrix",
       "quern multiply pbmc.h5ad --by loadings.npy -o scores.npy\n"
       "quern multiply pbmc.h5ad --by signatures.tsv --genes @markers.txt --on log1p:1e4 -o scores.tsv.gz\n"
       "quern multiply pbmc.h5ad --by loadings.npy -o scored.h5ad --key obsm/X_scores\n"
       "quern multiply pbmc.h5ad --transpose --by weights.tsv -o genes.tsv   # a row of weights for every cell\n",
       make_multiply},
      {"generate", "write realistic synthetic data",
       "quern generate test.h5ad --preset tabula-muris-droplet --cells 5000\n"
       "quern generate pbmc.h5ad --preset pbmc3k --seed 7\n"
       "quern generate brain.h5 --preset brain-1.3m --dry-run   # how much would that be?\n",
       make_generate},
      {"devices", "what computes here",
       "quern devices\n"
       "quern devices --json -\n",
       make_devices},
      {"doctor", "what works on this machine, and why not",
       "quern doctor\n"
       "quern doctor --json doctor.json\n",
       make_doctor},
  };
  return table;
}

}  // namespace quern::cli
