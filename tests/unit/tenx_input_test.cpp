// 10x HDF5 files and matrix directories: genomes, feature types, names.
#include <gmock/gmock.h>
#include <zlib.h>

#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::test {
namespace {

using ::testing::ElementsAre;
using Names = std::vector<std::string>;

class TenxInput : public ::testing::Test {
 protected:
  // 2 barcodes, 3 features: a gene, an antibody, a gene of another genome.
  void add_v3(H5Builder& h5) {
    h5.sparse_arrays("/matrix", 2).numbers("/matrix/shape", {3, 2}, H5T_STD_I32LE).fixed_strings("/matrix/barcodes", {"AA-1", "CC-1"}, 8);
    h5.fixed_strings("/matrix/features/id", {"E1", "E2", "E3"}, 8).fixed_strings("/matrix/features/name", {"MT-A", "CD3", "mt-B"}, 8);
    h5.fixed_strings("/matrix/features/feature_type", {"Gene Expression", "Antibody Capture", "Gene Expression"}, 20);
    h5.fixed_strings("/matrix/features/genome", {"hg19", "", "mm10"}, 8).fixed_strings("/matrix/features/_all_tag_keys", {"genome"}, 8);
    h5.group("/matrix/features/target_sets");
  }
  void add_v2(H5Builder& h5, const std::string& genome, const Names& genes) {
    const std::string group = "/" + genome;
    h5.sparse_arrays(group, 2).numbers(group + "/shape", {2, 2}, H5T_STD_I64LE).fixed_strings(group + "/barcodes", {"AA-1", "CC-1"}, 8);
    h5.fixed_strings(group + "/genes", {"E1", "E2"}, 8).fixed_strings(group + "/gene_names", genes, 8);
  }
  static io::InputOptions with(const std::string& feature_type, const std::string& genome = "") {
    io::InputOptions options;
    options.feature_type = feature_type;
    options.genome = genome;
    return options;
  }
  static Names genes(const std::string& path, const io::InputOptions& options) { return all_of(open_input(path, options)->column_names()); }
  static std::string genes_code(const std::string& path, const io::InputOptions& options) {
    return code_of([&] { open_input(path, options)->column_names(); });
  }

  ScratchFolder folder_;
  std::string path_ = folder_.file("file");
};

TEST_F(TenxInput, KeepsGeneExpressionByDefault) {
  {
    H5Builder h5(path_);
    add_v3(h5);
  }
  const auto input = open_input(path_);
  EXPECT_EQ(input->info().format, io::Format::tenx_v3);
  EXPECT_EQ(input->info().n_vars, 3);
  EXPECT_EQ(input->n_vars(), 2);
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("MT-A", "mt-B"));
  EXPECT_THAT(all_of(input->row_names()), ElementsAre("AA-1", "CC-1"));
  EXPECT_TRUE(has_warning(*input, "features-left-out"));
  EXPECT_EQ(input->matrix().rows, 2);
  EXPECT_EQ(input->matrix().cols, 3);
  Names columns;
  for (const io::ColumnInfo& column : input->info().var.columns) columns.push_back(column.name);
  EXPECT_THAT(columns, ElementsAre("feature_type", "genome", "id"));
}

TEST_F(TenxInput, FiltersByTypeAndGenome) {
  {
    H5Builder h5(path_);
    add_v3(h5);
  }
  EXPECT_EQ(genes(path_, with("all")).size(), 3u);
  EXPECT_THAT(genes(path_, with("Antibody Capture")), ElementsAre("CD3"));
  EXPECT_THAT(genes(path_, with("Gene Expression", "mm10")), ElementsAre("mt-B"));
  EXPECT_EQ(genes_code(path_, with("Peaks")), "no-such-feature-type");
  EXPECT_EQ(genes_code(path_, with("all", "dm6")), "no-such-genome");
}

std::string text_of(const io::Input& input, const std::string& code) {
  for (const io::Warning& warning : input.warnings())
    if (warning.code == code) return warning.text;
  return "";
}

TEST_F(TenxInput, ReadsAllGenomesOfVersion3AndSaysSo) {
  {
    H5Builder h5(path_);
    add_v3(h5);
  }
  const auto input = open_input(path_);
  EXPECT_EQ(input->n_vars(), 2);
  EXPECT_THAT(text_of(*input, "several-genomes"), testing::HasSubstr("1 hg19, 1 mm10"));
  const auto one = open_input(path_, with("Gene Expression", "hg19"));
  EXPECT_EQ(one->n_vars(), 1);
  EXPECT_FALSE(has_warning(*one, "several-genomes"));
  const auto antibodies = open_input(path_, with("Antibody Capture"));
  EXPECT_EQ(antibodies->n_vars(), 1);
  EXPECT_FALSE(has_warning(*antibodies, "several-genomes"));
}

TEST_F(TenxInput, CountsAFeatureThatIsLeftOutOnce) {
  {
    H5Builder h5(path_);
    add_v3(h5);
  }
  const auto input = open_input(path_, with("Gene Expression", "hg19"));
  EXPECT_EQ(input->n_vars(), 1);
  EXPECT_THAT(text_of(*input, "features-left-out"), testing::StartsWith("left out 1 Antibody Capture, 1 mm10; 1 features"));
}

TEST_F(TenxInput, ReadsOneGenomeWithoutBeingTold) {
  {
    H5Builder h5(path_);
    add_v2(h5, "hg19", {"A", "B"});
  }
  const auto input = open_input(path_);
  EXPECT_EQ(input->info().format, io::Format::tenx_v2);
  EXPECT_EQ(input->matrix().name, "X");
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("A", "B"));
  EXPECT_THAT(all_of(input->column(input->info().var, "gene_ids")), ElementsAre("E1", "E2"));
  EXPECT_THAT(genes(path_, with("Gene Expression", "hg19")), ElementsAre("A", "B"));
  EXPECT_EQ(genes_code(path_, with("Gene Expression", "mm10")), "no-such-genome");
  EXPECT_EQ(genes_code(path_, with("Antibody Capture")), "no-such-feature-type");
}

TEST_F(TenxInput, AsksWhichOfSeveralGenomes) {
  {
    H5Builder h5(path_);
    add_v2(h5, "hg19", {"A", "B"});
    add_v2(h5, "mm10", {"a", "b"});
  }
  try {
    open_input(path_)->matrix();
    FAIL() << "a genome was chosen";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.code(), "several-genomes");
    EXPECT_NE(std::string(error.what()).find("hg19, mm10"), std::string::npos);
  }
  EXPECT_THAT(genes(path_, with("Gene Expression", "mm10")), ElementsAre("a", "b"));
  EXPECT_EQ(open_input(path_, with("Gene Expression", "mm10"))->matrix().name, "genome/mm10");
}

TEST_F(TenxInput, NumbersCellsAndGenesWithoutUsableNames) {
  {
    H5Builder h5(path_);
    h5.sparse_arrays("/mm10", 2).numbers("/mm10/shape", {3, 2}, H5T_STD_I32LE).fixed_strings("/mm10/barcodes", {"x"}, 4);
    h5.fixed_strings("/mm10/gene_names", {"x"}, 4).numbers("/mm10/genes", {1, 2, 3}, H5T_STD_I32LE);
  }
  const auto input = open_input(path_);
  EXPECT_THAT(all_of(input->row_names()), ElementsAre("cell_1", "cell_2"));
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("gene_1", "gene_2", "gene_3"));
  EXPECT_TRUE(has_warning(*input, "no-usable-names"));
}

TEST_F(TenxInput, KeepsAllFeaturesOfAnIncompleteTable) {
  {
    H5Builder h5(path_);
    h5.sparse_arrays("/matrix", 1).numbers("/matrix/shape", {2, 1}, H5T_STD_I32LE).strings("/matrix/barcodes", {"AA"});
    h5.strings("/matrix/features/name", {"A", "B"}).strings("/matrix/features/feature_type", {"Gene Expression"});
  }
  const auto input = open_input(path_);
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("A", "B"));
  EXPECT_TRUE(has_warning(*input, "ignored-column"));
}

TEST_F(TenxInput, RefusesAMatrixWithoutItsParts) {
  { H5Builder(path_).sparse_arrays("/matrix", 1).strings("/matrix/barcodes", {"AA"}); }
  EXPECT_EQ(open_code(path_), "missing-object");
  { H5Builder(path_).sparse_arrays("/matrix", 1).numbers("/matrix/shape", {2}, H5T_STD_I32LE); }
  EXPECT_EQ(open_code(path_), "bad-shape");
  { H5Builder(path_).sparse_arrays("/matrix", 1).numbers("/matrix/shape", {2, 2}, H5T_STD_I32LE); }
  EXPECT_EQ(open_code(path_), "bad-shape");
}

class MtxInput : public TenxInput {
 protected:
  void add_matrix(const std::string& name = "matrix.mtx") {
    folder_.text(name, "%%MatrixMarket matrix coordinate integer general\n% made for a test\n\n3 2 1\n1 1 5\n");
  }
  void add_compressed(const std::string& name, const std::string& contents) {
    gzFile file = gzopen(folder_.file(name).c_str(), "wb");
    gzwrite(file, contents.data(), static_cast<unsigned>(contents.size()));
    gzclose(file);
  }
};

TEST_F(MtxInput, ReadsAnOldDirectory) {
  add_matrix();
  folder_.text("barcodes.tsv", "AA-1\n\nCC-1\n");
  folder_.text("genes.tsv", "E1\tA\nE2\tB\nE3\tC");
  const auto input = open_input(folder_.path());
  EXPECT_EQ(input->info().format, io::Format::mtx_v2);
  EXPECT_EQ(input->matrix().nnz, 1);
  EXPECT_EQ(input->matrix().data.type, "integer");
  EXPECT_THAT(all_of(input->row_names()), ElementsAre("AA-1", "CC-1"));
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("A", "B", "C"));
  EXPECT_THAT(all_of(input->column(input->info().var, "gene_ids")), ElementsAre("E1", "E2", "E3"));
  EXPECT_EQ(open_input(folder_.file("matrix.mtx"))->info().n_obs, 2);
}

TEST_F(MtxInput, ReadsANewDirectoryAndFiltersIt) {
  add_matrix();
  add_compressed("barcodes.tsv.gz", "AA-1\r\nCC-1\r\n");
  add_compressed("features.tsv.gz", "E1\tA\tGene Expression\nE2\tB\tAntibody Capture\nE3\tC\tGene Expression\n");
  const auto input = open_input(folder_.path());
  EXPECT_EQ(input->info().format, io::Format::mtx_v3);
  EXPECT_THAT(all_of(input->row_names()), ElementsAre("AA-1", "CC-1"));
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("A", "C"));
  EXPECT_TRUE(has_warning(*input, "features-left-out"));
  EXPECT_THAT(genes(folder_.path(), with("Antibody Capture")), ElementsAre("B"));
  EXPECT_EQ(genes(folder_.path(), with("all")).size(), 3u);
}

TEST_F(MtxInput, GoesBackAndForthInItsNames) {
  add_matrix();
  folder_.text("barcodes.tsv", "a\nb\n");
  folder_.text("genes.tsv", "A\nB\nC\n");  // one column only
  const auto names = open_input(folder_.path())->column_names();
  Names some;
  names->read({2, 3}, some);
  EXPECT_THAT(some, ElementsAre("C"));
  names->read({0, 2}, some);
  EXPECT_THAT(some, ElementsAre("A", "B"));
}

TEST_F(MtxInput, NumbersWhatHasNoUsableNames) {
  add_matrix("GSM1_matrix.mtx");
  folder_.text("GSM1_barcodes.tsv", "AA-1\n");
  const auto input = open_input(folder_.path());
  EXPECT_THAT(all_of(input->row_names()), ElementsAre("cell_1", "cell_2"));
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("gene_1", "gene_2", "gene_3"));
  EXPECT_TRUE(has_warning(*input, "no-usable-names"));
}

TEST_F(MtxInput, RefusesOtherMatrixMarketFiles) {
  folder_.text("matrix.mtx", "%%MatrixMarket matrix array real general\n3 2\n1\n");
  EXPECT_EQ(open_code(folder_.path()), "unknown-encoding");
  folder_.text("matrix.mtx", "%%MatrixMarket matrix coordinate real general\nthree by two\n");
  EXPECT_EQ(open_code(folder_.path()), "bad-mtx");
  folder_.text("matrix.mtx", "%%MatrixMarket matrix coordinate real general\n-3 2 1\n");
  EXPECT_EQ(open_code(folder_.path()), "bad-shape");
  folder_.text("matrix.mtx", "1 1 5\n");
  EXPECT_EQ(open_code(folder_.path()), "bad-mtx");
}

}  // namespace
}  // namespace quern::test
