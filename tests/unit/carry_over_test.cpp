// What is carried over of a file, and what of it when cells and genes are cut away.
#include "io/carry/carry_over.hpp"

#include <gmock/gmock.h>

#include <atomic>

#include "io/carry/from_tenx.hpp"
#include "io/h5ad/encoding.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"
#include "tests/support/walk_source.hpp"

namespace quern::test {
namespace {

using ::testing::ElementsAre;
using Ranges = std::vector<RowRange>;

std::vector<std::pair<std::int64_t, std::int64_t>> walked(const io::Selection& selection, std::int64_t size, std::int64_t most) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  io::SelectedBatches batches(selection, size, most);
  for (io::SelectedBatch batch; batches.next(batch);) {
    EXPECT_LE(batch.read.size(), most);
    for (const RowRange& range : batch.kept) {
      EXPECT_GE(range.first, batch.read.first);
      EXPECT_LE(range.last, batch.read.last);
      out.emplace_back(range.first, range.last);
    }
  }
  return out;
}

TEST(Selection, IsWalkedInPieces) {
  const io::Selection some = io::Selection::of(Ranges{{1, 3}, {4, 9}, {20, 21}});
  EXPECT_EQ(some.n_kept(30), 8);
  EXPECT_THAT(walked(some, 30, 100), ElementsAre(std::pair(1, 3), std::pair(4, 9), std::pair(20, 21)));
  EXPECT_THAT(walked(some, 30, 4), ElementsAre(std::pair(1, 3), std::pair(4, 5), std::pair(5, 9), std::pair(20, 21)));
  EXPECT_THAT(walked(io::Selection(), 5, 2), ElementsAre(std::pair(0, 2), std::pair(2, 4), std::pair(4, 5)));
  EXPECT_TRUE(walked(io::Selection(), 0, 2).empty());
  EXPECT_TRUE(walked(io::Selection::of({}), 9, 2).empty());
}

TEST(Selection, ComesFromFlagsAndGivesNewNumbers) {
  const std::vector<std::uint8_t> flags{0, 1, 1, 0, 1};
  const io::Selection some = io::Selection::of_flags(flags);
  EXPECT_THAT(some.new_numbers(5), ElementsAre(-1, 0, 1, -1, 2));
  EXPECT_TRUE(io::Selection().new_numbers(5).empty());
  std::vector<int> values{10, 11, 12, 13, 14};
  io::SelectedBatches batches(some, 5, 5);
  io::SelectedBatch batch;
  ASSERT_TRUE(batches.next(batch));
  EXPECT_EQ(batch.read.first, 1);
  values.erase(values.begin());  // what was read starts there
  io::keep_values(values, batch);
  EXPECT_THAT(values, ElementsAre(11, 12, 14));
}

class CarryOver : public ::testing::Test {
 protected:
  // 4 cells, 3 genes: X sparse by columns, a dense layer, a categorical with its colours, neighbours, raw.
  void build() {
    H5Builder h5(from_);
    h5.encoding("/", "anndata", "0.1.0").frame("/var", numbered("g", 3));
    h5.strings("/obs/_index", numbered("c", 4)).encoding("/obs", "dataframe", "0.2.0").text_attribute("/obs", "_index", "_index");
    h5.text_list_attribute("/obs", "column-order", {"kind"});
    h5.group("/obs/kind").encoding("/obs/kind", "categorical", "0.2.0").number_attribute("/obs/kind", "ordered", {0}, H5T_STD_I8LE);
    h5.numbers("/obs/kind/codes", {2, 0, -1, 2}, H5T_STD_I16LE).strings("/obs/kind/categories", {"a", "b", "c"});
    h5.strings("/uns/kind_colors", {"red", "green", "blue"}).encoding("/uns/kind_colors", "string-array", "0.2.0");
    h5.numbers("/X/data", {1, 2, 3, 4, 5}, H5T_IEEE_F64LE).numbers("/X/indices", {0, 3, 1, 0, 1}, H5T_STD_U32LE);
    h5.numbers("/X/indptr", {0, 2, 3, 5}, H5T_STD_I64LE).encoding("/X", "csc_matrix", "0.1.0");
    h5.number_attribute("/X", "shape", {4, 3}, H5T_STD_I64LE);
    h5.numbers("/layers/dense", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, H5T_STD_U16LE, {4, 3});
    h5.numbers("/obsm/X_pca", {0, 1, 10, 11, 20, 21, 30, 31}, H5T_IEEE_F32LE, {4, 2});
    h5.sparse("/obsp/graph", 4, 4).sparse("/raw/X", 4, 5).frame("/raw/var", numbered("r", 5)).encoding("/raw", "raw", "0.1.0");
  }

  std::vector<io::Warning> carry(const io::CarryOptions& options) {
    const io::Hdf5File from(from_);
    io::OutputFile to = io::OutputFile::create(to_);
    const auto warnings = io::carry_over(from, to, options, budget_);
    to.close();
    return warnings;
  }
  std::vector<Row> rows_of(const std::string& layer) {
    io::InputOptions options;
    options.layer = layer;
    const auto input = open_input(to_, options);
    MemoryBudget budget(std::size_t{1} << 28);
    return walk(*input->source(budget), {}).rows;
  }
  std::vector<std::string> column(const std::string& path) {
    const io::Hdf5File file(to_);
    io::ColumnPlace place;
    place.values = path;
    return all_of(io::open_column(file, place));
  }

  ScratchFolder folder_;
  std::string from_ = folder_.file("from.h5ad"), to_ = folder_.file("to.h5ad");
  MemoryBudget budget_{std::size_t{1} << 28};
};

TEST_F(CarryOver, KeepsEverything) {
  build();
  EXPECT_TRUE(carry({}).empty());
  const std::vector<Row> x{{{0, 1}, {2, 4}}, {{1, 3}, {2, 5}}, {}, {{0, 2}}};
  EXPECT_EQ(rows_of("X"), x);
  EXPECT_EQ(rows_of("raw").size(), 4u);
  EXPECT_THAT(column("/uns/kind_colors"), ElementsAre("red", "green", "blue"));
  const auto input = open_input(to_);
  EXPECT_EQ(input->matrix().indices.type, "int32");  // unsigned ones suit few readers
  EXPECT_EQ(input->matrix().indptr.type, "int32");
  EXPECT_EQ(input->info().obs.columns.at(0).kind, "categorical");
  EXPECT_GT(io::survey_carry_over(from_, false).bytes, 200);
}

TEST_F(CarryOver, CutsCellsAndGenes) {
  build();
  io::CarryOptions options;
  options.cells = io::Selection::of(Ranges{{0, 1}, {2, 4}});
  options.genes = io::Selection::of(Ranges{{0, 1}, {2, 3}});
  EXPECT_TRUE(carry(options).empty());
  EXPECT_EQ(rows_of("X"), (std::vector<Row>{{{0, 1}, {1, 4}}, {}, {{0, 2}}}));
  EXPECT_EQ(rows_of("layers/dense"), (std::vector<Row>{{{1, 2}}, {{0, 6}, {1, 8}}, {{0, 9}, {1, 11}}}));
  EXPECT_EQ(rows_of("raw"), (std::vector<Row>{{{0, 1}}, {{0, 3}}, {{0, 4}}}));  // all its genes, without the second cell
  const auto input = open_input(to_);
  EXPECT_THAT(all_of(input->row_names()), ElementsAre("c0", "c2", "c3"));
  EXPECT_THAT(all_of(input->column_names()), ElementsAre("g0", "g2"));
  EXPECT_EQ(input->matrix().data.type, "float64");
  EXPECT_EQ(input->info().raw_var.size, 5);
  EXPECT_THAT(input->info().obs.columns.at(0).categories, ElementsAre("c"));
  EXPECT_THAT(all_of(input->column(input->info().obs, "kind")), ElementsAre("c", "", "c"));
  EXPECT_THAT(column("/uns/kind_colors"), ElementsAre("blue"));
}

TEST_F(CarryOver, AddsColumnsAndReplacesThem) {
  build();
  io::CarryOptions options;
  const auto numbers = [](RowRange rows, std::byte* out) {
    for (std::int64_t row = rows.first; row < rows.last; ++row) reinterpret_cast<std::int32_t*>(out)[row - rows.first] = int(row) + 7;
  };
  options.obs = {{"kind", io::ColumnType::int32, numbers}, {"fresh", io::ColumnType::int32, numbers}};
  carry(options);
  const auto input = open_input(to_);
  ASSERT_EQ(input->info().obs.columns.size(), 2u);
  EXPECT_EQ(input->info().obs.columns[0].kind, "int32");
  EXPECT_THAT(column("/obs/fresh"), ElementsAre("7", "8", "9", "10"));
}

TEST_F(CarryOver, NamesWhatStaysBehind) {
  build();
  {
    H5Builder more(folder_.file("more.h5ad"));
    more.encoding("/", "anndata", "0.1.0").frame("/obs", {"c"}).frame("/var", {"g"}).sparse("/X", 1, 1);
    more.group("/uns").soft_link("/uns/broken", "/nowhere").null("/uns/none");
    more.numbers("/uns/odd", {1, 2}, H5T_STD_I32LE).encoding("/uns/odd", "from-the-future", "9.9.9");
  }
  from_ = folder_.file("more.h5ad");
  const auto warnings = carry({});
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0].code, "left-out");
  EXPECT_EQ(warnings[1].code, "left-out");
  EXPECT_THAT(column("/uns/odd"), ElementsAre("1", "2"));
  const io::Hdf5File file(to_);
  EXPECT_EQ(io::encoding_of(file.open("/uns/odd").get(), "/uns/odd").type, "from-the-future");
}

TEST_F(CarryOver, RefusesReferences) {
  {
    H5Builder h5(from_);
    h5.encoding("/", "anndata", "0.1.0").frame("/obs", {"c"}).frame("/var", {"g"}).sparse("/X", 1, 1);
    hobj_ref_t none = 0;
    h5.table("/uns/reference", H5T_STD_REF_OBJ, &none, 1);
  }
  EXPECT_EQ(code_of([&] { carry({}); }), "bad-type");
}

TEST_F(CarryOver, StopsWhenItIsTold) {
  build();
  const std::atomic<bool> stop{true};
  io::CarryOptions options;
  options.stop = &stop;
  EXPECT_THROW(carry(options), Interrupted);
  const std::string tenx = folder_.file("from.h5");
  {
    H5Builder h5(tenx);
    h5.sparse_arrays("/matrix", 2).numbers("/matrix/shape", {2, 2}, H5T_STD_I32LE).fixed_strings("/matrix/barcodes", {"AA-1", "CC-1"}, 8);
    h5.fixed_strings("/matrix/features/id", {"E1", "E2"}, 8).fixed_strings("/matrix/features/name", {"A", "B"}, 8);
  }
  const auto input = open_input(tenx);
  int turn = 0;  // what is given up stays open
  const auto carry_tenx = [&] {
    const io::OutputFile to = io::OutputFile::create(folder_.file("to" + std::to_string(++turn) + ".h5ad"));
    io::carry_from_tenx(*input, to, options, budget_);
  };
  EXPECT_THROW(carry_tenx(), Interrupted);
  options.stop = nullptr;
  options.add_uns = [](const io::OutputGroup& uns, const io::CopyElement& copy) { copy("/uns/other", uns, "other"); };
  EXPECT_EQ(code_of(carry_tenx), "nothing-to-copy");
}

}  // namespace
}  // namespace quern::test
