// obs, var and matrices of every generation of h5ad, one oddity at a time.
#include <gmock/gmock.h>

#include "tests/support/encode.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::test {
namespace {

using ::testing::ElementsAre;
using Names = std::vector<std::string>;

class H5adInput : public ::testing::Test {
 protected:
  // obs c0 c1 c2, var g0 g1, no matrix.
  void add_frames(H5Builder& h5) { h5.encoding("/", "anndata", "0.1.0").frame("/obs", numbered("c", 3)).frame("/var", numbered("g", 2)); }
  std::unique_ptr<io::Input> open(io::InputOptions options = {}) { return open_input(path_, options); }
  std::string matrix_code(const std::string& layer = "X") {
    io::InputOptions options;
    options.layer = layer;
    return code_of([&] { open(options)->matrix(); });
  }

  ScratchFolder folder_;
  std::string path_ = folder_.file("any_name.bin");
};

TEST_F(H5adInput, ReadsAModernFile) {
  {
    H5Builder h5(path_);
    add_frames(h5);
    h5.sparse("/X", 3, 2).sparse("/layers/counts", 3, 2, "csc").numbers("/layers/dense", {1, 2, 3, 4, 5, 6}, H5T_STD_U16BE, {3, 2});
    h5.numbers("/obsm/X_pca", {1, 2, 3}, H5T_IEEE_F32LE, {3, 1}).group("/uns");
  }
  const auto input = open();
  const io::FileInfo& info = input->info();
  EXPECT_EQ(info.generation, "anndata>=0.8");
  EXPECT_EQ(all_of(input->row_names()), numbered("c", 3));
  EXPECT_EQ(all_of(input->column_names()), numbered("g", 2));
  EXPECT_EQ(input->n_vars(), 2);
  ASSERT_EQ(info.matrices.size(), 3u);
  EXPECT_EQ(input->matrix().storage, io::Storage::csr);
  EXPECT_EQ(input->matrix().nnz, 3);
  EXPECT_EQ(input->matrix().indptr.type, "int64");
  EXPECT_EQ(info.matrices[1].name, "layers/counts");
  EXPECT_EQ(info.matrices[1].storage, io::Storage::csc);
  EXPECT_EQ(info.matrices[2].data.type, "uint16");
  EXPECT_TRUE(info.matrices[2].data.big_endian);
  EXPECT_EQ(info.matrices[2].nnz, -1);
  EXPECT_THAT(info.keys.at("obsm"), ElementsAre("X_pca"));
  EXPECT_TRUE(info.problems.empty());
  EXPECT_TRUE(info.warnings.empty());
}

TEST_F(H5adInput, ReadsNamesInRanges) {
  {
    H5Builder h5(path_);
    h5.encoding("/", "anndata", "0.1.0").frame("/obs", numbered("c", 50)).frame("/var", {"g"});
    h5.sparse("/X", 50, 1);
  }
  const auto names = open()->row_names();
  Names some;
  names->read({48, 50}, some);
  EXPECT_THAT(some, ElementsAre("c48", "c49"));
  names->read({7, 7}, some);
  EXPECT_TRUE(some.empty());
  names->read({0, 1}, some);
  EXPECT_THAT(some, ElementsAre("c0"));
}

TEST_F(H5adInput, ReadsColumnsOfEveryKind) {
  {
    H5Builder h5(path_);
    h5.encoding("/", "anndata", "0.1.0").frame("/var", numbered("g", 2)).group("/obs").encoding("/obs", "dataframe", "0.2.0");
    h5.text_attribute("/obs", "_index", "barcode").text_list_attribute("/obs", "column-order", {"n", "f", "b", "s", "cat", "ni", "ns"});
    h5.strings("/obs/barcode", {"a", "b", "c"})
        .numbers("/obs/n", {-1, 2, 3}, H5T_STD_I16BE)
        .numbers("/obs/f", {0.1, 1, 1e20}, H5T_IEEE_F32LE);
    h5.bools("/obs/b", {true, false, true}).fixed_strings("/obs/s", {"x", "", "zz"}, 4);
    h5.group("/obs/cat").encoding("/obs/cat", "categorical", "0.2.0").number_attribute("/obs/cat", "ordered", {1}, H5T_STD_I8LE);
    h5.numbers("/obs/cat/codes", {1, -1, 0}, H5T_STD_I8LE).numbers("/obs/cat/categories", {0.5, 100000}, H5T_IEEE_F64LE);
    h5.group("/obs/ni")
        .encoding("/obs/ni", "nullable-integer", "0.1.0")
        .numbers("/obs/ni/values", {7, 8, 9}, H5T_STD_U64LE)
        .bools("/obs/ni/mask", {false, true, false});
    h5.group("/obs/ns")
        .encoding("/obs/ns", "nullable-string-array", "0.1.0")
        .strings("/obs/ns/values", {"p", "q", "r"})
        .bools("/obs/ns/mask", {true, false, false});
  }
  const auto input = open();
  const io::FrameInfo& obs = input->info().obs;
  EXPECT_EQ(obs.index, "barcode");
  Names kinds;
  for (const io::ColumnInfo& column : obs.columns) kinds.push_back(column.kind);
  EXPECT_THAT(kinds, ElementsAre("int16", "float32", "bool", "string", "categorical", "nullable-int", "nullable-string"));
  EXPECT_THAT(obs.columns[4].categories, ElementsAre("0.5", "100000.0"));
  EXPECT_TRUE(obs.columns[4].ordered);
  EXPECT_THAT(all_of(input->column(obs, "n")), ElementsAre("-1", "2", "3"));
  EXPECT_THAT(all_of(input->column(obs, "f")), ElementsAre("0.10000000149011612", "1.0", "1.0000000200408773e+20"));
  EXPECT_THAT(all_of(input->column(obs, "b")), ElementsAre("True", "False", "True"));
  EXPECT_THAT(all_of(input->column(obs, "s")), ElementsAre("x", "", "zz"));
  EXPECT_THAT(all_of(input->column(obs, "cat")), ElementsAre("100000.0", "", "0.5"));
  EXPECT_THAT(all_of(input->column(obs, "ni")), ElementsAre("7", "", "9"));
  EXPECT_THAT(all_of(input->column(obs, "ns")), ElementsAre("", "q", "r"));
  EXPECT_TRUE(input->info().problems.empty());
  EXPECT_EQ(code_of([&] { input->column(obs, "absent"); }), "missing-object");
}

TEST_F(H5adInput, ReadsANullableStringIndexAndFixedAttributes) {
  {
    H5Builder h5(path_);
    h5.group("/obs").fixed_attribute("/obs", "encoding-type", "dataframe").fixed_attribute("/obs", "encoding-version", "0.2.0");
    h5.fixed_attribute("/obs", "_index", "index").text_list_attribute("/obs", "column-order", {});
    h5.group("/obs/index")
        .encoding("/obs/index", "nullable-string-array", "0.1.0")
        .strings("/obs/index/values", {"a", "b"})
        .bools("/obs/index/mask", {false, false});
    h5.frame("/var", {"g"}).sparse("/X", 2, 1);
  }
  const auto input = open();
  EXPECT_THAT(all_of(input->row_names()), ElementsAre("a", "b"));
  EXPECT_EQ(input->info().generation, "anndata>=0.8");
}

TEST_F(H5adInput, ReadsCategoriesByReference) {
  {
    H5Builder h5(path_);
    h5.frame("/var", {"g"}).group("/obs").encoding("/obs", "dataframe", "0.1.0").text_attribute("/obs", "_index", "_index");
    h5.text_list_attribute("/obs", "column-order", {"kind", "lost"}).strings("/obs/_index", {"a", "b"});
    h5.strings("/obs/__categories/kind", {"T", "B"}).number_attribute("/obs/__categories/kind", "ordered", {0}, H5T_STD_I8LE);
    h5.numbers("/obs/kind", {1, 0}, H5T_STD_I8LE).reference_attribute("/obs/kind", "categories", "/obs/__categories/kind");
    h5.numbers("/obs/lost", {0, 0}, H5T_STD_I8LE).reference_attribute("/obs/lost", "categories", "");
  }
  const auto input = open();
  const io::FrameInfo& obs = input->info().obs;
  EXPECT_EQ(input->info().generation, "anndata 0.7");
  ASSERT_EQ(obs.columns.size(), 1u);
  EXPECT_THAT(all_of(input->column(obs, "kind")), ElementsAre("B", "T"));
  EXPECT_TRUE(has_problem(input->info(), "/obs/lost", "bad-reference"));
}

struct OldRow {
  char index[4];
  std::int8_t label, free;
};

TEST_F(H5adInput, ReadsCompoundTablesAndTheirCategories) {
  {
    H5Builder h5(path_);
    const std::vector<OldRow> rows{{"c0", 1, 5}, {"c1", -1, 6}, {"c2", 0, 9}};
    const hid_t text = H5Tcopy(H5T_C_S1), type = H5Tcreate(H5T_COMPOUND, sizeof(OldRow));
    H5Tset_size(text, 4);
    H5Tinsert(type, "smp_names", HOFFSET(OldRow, index), text);
    H5Tinsert(type, "label", HOFFSET(OldRow, label), H5T_NATIVE_INT8);
    H5Tinsert(type, "free", HOFFSET(OldRow, free), H5T_NATIVE_INT8);
    for (const char* path : {"/obs", "/raw.var"}) h5.table(path, type, rows.data(), 3);
    h5.frame("/var", numbered("g", 2)).strings("/uns/label_categories", {"no", "yes"}).strings("/uns/free_categories", {"only"});
    h5.sparse_arrays("/X", 3)
        .text_attribute("/X", "h5sparse_format", "csr")
        .number_attribute("/X", "h5sparse_shape", {3, 2}, H5T_STD_I64LE);
    h5.sparse_arrays("/raw.X", 3)
        .text_attribute("/raw.X", "h5sparse_format", "csr")
        .number_attribute("/raw.X", "h5sparse_shape", {3, 3}, H5T_STD_I64LE);
    H5Tclose(type);
    H5Tclose(text);
  }
  io::InputOptions options;
  options.layer = "raw";
  const auto input = open(options);
  const io::FileInfo& info = input->info();
  EXPECT_EQ(info.generation, "anndata<=0.6");
  EXPECT_EQ(info.obs.index, "smp_names");
  EXPECT_THAT(all_of(input->column(info.obs, "label")), ElementsAre("yes", "", "no"));
  EXPECT_EQ(info.obs.columns[1].kind, "int8");      // codes above the number of categories are no codes
  EXPECT_EQ(info.raw_var.columns[0].kind, "int8");  // uns belongs to obs and var
  EXPECT_EQ(input->matrix().feature_group, "/raw.var");
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("c0", "c1", "c2"));
  EXPECT_TRUE(info.has_raw);
}

TEST_F(H5adInput, TakesANullXForNone) {
  {
    H5Builder h5(path_);
    add_frames(h5);
    h5.null("/X").encoding("/X", "null", "0.1.0").sparse("/layers/counts", 3, 2);
  }
  EXPECT_EQ(matrix_code("X"), "no-such-matrix");
  EXPECT_EQ(matrix_code("layers/counts"), "none");
}

TEST_F(H5adInput, NamesUnknownEncodings) {
  {
    H5Builder h5(path_);
    add_frames(h5);
    h5.sparse_arrays("/X", 3)
        .encoding("/X", "coo_matrix", "0.1.0")
        .sparse_arrays("/layers/later", 3)
        .encoding("/layers/later", "csr_matrix", "0.9.0");
    h5.sparse("/layers/good", 3, 2);
  }
  EXPECT_EQ(matrix_code("X"), "unknown-encoding");
  EXPECT_EQ(matrix_code("layers/later"), "unknown-encoding");
  EXPECT_EQ(matrix_code("layers/good"), "none");
  {
    H5Builder h5(path_);
    h5.frame("/var", {"g"})
        .group("/obs")
        .encoding("/obs", "dataframe", "0.3.0")
        .text_attribute("/obs", "_index", "i")
        .strings("/obs/i", {"a"});
  }
  EXPECT_EQ(open_code(path_), "unknown-encoding");
}

TEST_F(H5adInput, RefusesMatricesThatDoNotFitTheirNames) {
  {
    H5Builder h5(path_);
    add_frames(h5);
    h5.sparse("/X", 4, 2).sparse("/layers/wide", 3, 3).numbers("/layers/flat", {1, 2, 3}, H5T_IEEE_F32LE);
  }
  for (const char* layer : {"X", "layers/wide", "layers/flat"}) EXPECT_EQ(matrix_code(layer), "bad-shape") << layer;
  EXPECT_EQ(open()->info().problems.size(), 3u);
}

TEST_F(H5adInput, RefusesShapesAndTypesThatCannotBe) {
  const double huge = 1152921504606846976.0;  // 2^60
  {
    H5Builder h5(path_);
    add_frames(h5);
    h5.sparse_arrays("/X", 3).encoding("/X", "csr_matrix", "0.1.0").number_attribute("/X", "shape", {huge, 2}, H5T_STD_I64LE);
    h5.sparse_arrays("/layers/a", 3)
        .encoding("/layers/a", "csr_matrix", "0.1.0")
        .number_attribute("/layers/a", "shape", {3, huge}, H5T_STD_I64LE);
    h5.sparse_arrays("/layers/b", 3)
        .encoding("/layers/b", "csr_matrix", "0.1.0")
        .number_attribute("/layers/b", "shape", {3, -2}, H5T_STD_I64LE);
    h5.sparse_arrays("/layers/c", 2)
        .encoding("/layers/c", "csr_matrix", "0.1.0")
        .number_attribute("/layers/c", "shape", {3, 2}, H5T_STD_I64LE);
    h5.sparse_arrays("/layers/d", 3).encoding("/layers/d", "csr_matrix", "0.1.0");
    h5.group("/layers/e").encoding("/layers/e", "csr_matrix", "0.1.0").number_attribute("/layers/e", "shape", {1, 2}, H5T_STD_I64LE);
    h5.numbers("/layers/e/data", {1}, H5T_IEEE_F32LE)
        .numbers("/layers/e/indices", {0}, H5T_IEEE_F32LE)
        .numbers("/layers/e/indptr", {0, 1}, H5T_STD_I32LE);
    h5.group("/layers/f").encoding("/layers/f", "csr_matrix", "0.1.0").number_attribute("/layers/f", "shape", {3, 2}, H5T_STD_I64LE);
    h5.strings("/layers/g", {"x"});
  }
  for (const char* layer : {"X", "layers/a", "layers/b", "layers/c", "layers/d"}) EXPECT_EQ(matrix_code(layer), "bad-shape") << layer;
  for (const char* layer : {"layers/e", "layers/g"}) EXPECT_EQ(matrix_code(layer), "bad-type") << layer;
  EXPECT_EQ(matrix_code("layers/f"), "missing-object");
}

TEST_F(H5adInput, NeedsObsAndVar) {
  { H5Builder(path_).frame("/var", {"g"}).sparse("/X", 1, 1); }
  EXPECT_EQ(open_code(path_), "missing-group");
  { H5Builder(path_).frame("/obs", {"c"}).sparse("/X", 1, 1); }
  EXPECT_EQ(open_code(path_), "missing-group");
}

TEST_F(H5adInput, ReportsDamagedColumnsAndReadsTheRest) {
  {
    H5Builder h5(path_);
    h5.frame("/var", {"g"}).group("/obs").encoding("/obs", "dataframe", "0.2.0").text_attribute("/obs", "_index", "i");
    h5.text_list_attribute("/obs", "column-order", {"gone", "short", "odd"})
        .strings("/obs/i", {"a", "b"})
        .numbers("/obs/short", {1}, H5T_STD_I32LE);
    h5.group("/obs/odd").encoding("/obs/odd", "interval", "0.1.0").sparse("/X", 2, 1);
  }
  const auto input = open();
  EXPECT_TRUE(has_problem(input->info(), "/obs/gone", "missing-object"));
  EXPECT_TRUE(has_problem(input->info(), "/obs/short", "bad-shape"));
  EXPECT_TRUE(has_problem(input->info(), "/obs/odd", "unknown-encoding"));
  EXPECT_EQ(input->matrix().rows, 2);
}

TEST_F(H5adInput, ReadsColumnsWithFiltersThatHdf5Lacks) {
  const std::vector<std::int32_t> stored{7, 8, 9, 10};
  const auto bytes = zstd(std::as_bytes(std::span(stored)));
  {
    H5Builder h5(path_);
    h5.frame("/var", {"g"}).group("/obs").encoding("/obs", "dataframe", "0.2.0").text_attribute("/obs", "_index", "i");
    h5.text_list_attribute("/obs", "column-order", {"packed", "strange"}).strings("/obs/i", numbered("c", 4));
    for (const auto& [name, filter] : {std::pair{"packed", 32015}, std::pair{"strange", 32999}}) {
      const hsize_t chunk = 4, offset = 0;
      const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
      H5Pset_chunk(creation, 1, &chunk);
      H5Pset_filter(creation, filter, H5Z_FLAG_OPTIONAL, 0, nullptr);
      const std::string column = std::string("/obs/") + name;
      h5.created(column, H5T_STD_I32LE, {4}, creation);
      const hid_t dataset = H5Dopen2(h5.file(), column.c_str(), H5P_DEFAULT);
      H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &offset, bytes.size(), bytes.data());
      H5Dclose(dataset);
    }
  }
  const auto input = open();
  EXPECT_THAT(all_of(input->column(input->info().obs, "packed")), ElementsAre("7", "8", "9", "10"));
  EXPECT_EQ(code_of([&] { all_of(input->column(input->info().obs, "strange")); }), "unknown-filter");
}

TEST_F(H5adInput, IgnoresUnknownRootKeysWithAWarning) {
  {
    H5Builder h5(path_);
    add_frames(h5);
    h5.sparse("/X", 3, 2).strings("/active.ident", {"x"});
  }
  EXPECT_TRUE(has_warning(*open(), "unknown-keys"));
}

TEST_F(H5adInput, ReadsBehindAUserBlock) {
  {
    H5Builder h5(path_, 1024);
    add_frames(h5);
    h5.sparse("/X", 3, 2);
  }
  EXPECT_EQ(all_of(open()->row_names()), numbered("c", 3));
}

TEST_F(H5adInput, ReplacesInvalidUtf8) {
  {
    H5Builder h5(path_);
    h5.frame("/obs", {"caf\xe9", "na\xc3\xafve"}).frame("/var", {"g"}).sparse("/X", 2, 1);
  }
  EXPECT_THAT(all_of(open()->row_names()), ElementsAre("caf\xef\xbf\xbd", "na\xc3\xafve"));
}

TEST_F(H5adInput, HasNoGenomes) {
  {
    H5Builder h5(path_);
    add_frames(h5);
    h5.sparse("/X", 3, 2);
  }
  io::InputOptions options;
  options.genome = "hg19";
  EXPECT_EQ(code_of([&] { open(options)->matrix(); }), "no-genomes");
}

}  // namespace
}  // namespace quern::test
