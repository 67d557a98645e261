#include "cli/dense_factor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "host/core/error.hpp"
#include "io/npy/npy_writer.hpp"
#include "tests/support/name_list_source.hpp"
#include "tests/support/temp_folder.hpp"

namespace quern::cli {
namespace {

using Names = test::ListedNames;

class DenseFactorTest : public testing::Test {
 protected:
  std::string table(const std::string& text) const {
    std::ofstream(folder_ / "b.tsv") << text;
    return folder_ / "b.tsv";
  }
  FactorRows rows(std::vector<std::uint8_t> chosen = {}) { return {"gene", names_.size(), &names_, std::move(chosen)}; }
  DenseFactor read(const std::string& path, std::vector<std::uint8_t> chosen = {}) {
    return DenseFactor::read(path, "--by", rows(std::move(chosen)), budget_);
  }
  std::string code_of(const std::string& path, std::vector<std::uint8_t> chosen = {}) {
    try {
      read(path, std::move(chosen));
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()), "");
      return error.code();
    }
    return "no error";
  }
  static std::vector<double> doubles(const DenseFactor& factor) {
    const auto* values = static_cast<const double*>(factor.view().values);
    return {values, values + factor.view().n_rows * factor.view().n_cols};
  }
  test::TempFolder folder_;
  Names names_{{"A", "B", "C \"x\""}};
  MemoryBudget budget_{1 << 20};
};

TEST_F(DenseFactorTest, TablesAreMatchedByName) {
  const DenseFactor factor = read(table("gene\tone\ttwo\n\"C \"\"x\"\"\"\t5\t-inf\nA\t1e-3\t2\nB\t3\tnan\n"));
  EXPECT_EQ(factor.column_names(), (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(factor.has_names());
  EXPECT_EQ(factor.n_not_finite(), 2);
  const std::vector<double> values = doubles(factor);
  EXPECT_EQ(std::vector<double>(values.begin(), values.begin() + 3), (std::vector<double>{1e-3, 2, 3}));
  EXPECT_TRUE(std::isnan(values[3]));
  EXPECT_EQ(values[4], 5);
  EXPECT_EQ(values[5], -INFINITY);
}

TEST_F(DenseFactorTest, RowsThatWereNotChosenMayBeThereOrNot) {
  const std::vector<std::uint8_t> chosen{1, 0, 1};
  const std::vector<double> expected{1, 3};
  EXPECT_EQ(doubles(read(table("g\tk\nC \"x\"\t3\nB\t2\nA\t1\n"), chosen)), expected);
  EXPECT_EQ(doubles(read(table("g\tk\nC \"x\"\t3\nA\t1\n"), chosen)), expected);
  EXPECT_EQ(code_of(table("g\tk\nA\t1\nB\t2\n"), chosen), "factor-names");
}

TEST_F(DenseFactorTest, RefusesTablesThatDoNotFit) {
  for (const auto& [text, code] :
       std::vector<std::pair<std::string, std::string>>{{"g\tk\nA\t1\nB\t2\n", "factor-names"},                    // one is missing
                                                        {"g\tk\nA\t1\nB\t2\nD\t3\n", "factor-names"},              // one too many
                                                        {"g\tk\nA\t1\nB\t2\nC \"x\"\t3\nA\t1\n", "factor-names"},  // twice
                                                        {"g\tk\nA\t1\t1\nB\t2\nC \"x\"\t3\n", "bad-table"},        // a longer line
                                                        {"g\tk\nA\nB\t2\nC \"x\"\t3\n", "bad-table"},              // a shorter line
                                                        {"g\tk\nA\tone\nB\t2\nC \"x\"\t3\n", "bad-table"},         // a word
                                                        {"g\tk\nA\t\nB\t2\nC \"x\"\t3\n", "bad-table"},            // nothing
                                                        {"g\tk\nA\t1 \nB\t2\nC \"x\"\t3\n", "bad-table"},          // a number and a space
                                                        {"g\tk\n\"A\t1\nB\t2\nC \"x\"\t3\n", "bad-table"},  // a quote that does not end
                                                        {"\"g\tk\nA\t1\n", "bad-table"},                    // in the head
                                                        {"", "bad-table"},                                  // nothing at all
                                                        {"g\nA\nB\nC\n", "bad-factor"}})                    // no numbers
    EXPECT_EQ(code_of(table(text)), code) << text;
  std::string head = "g";
  for (int i = 0; i <= 256; ++i) head += "\tk" + std::to_string(i);
  EXPECT_EQ(code_of(table(head + "\n")), "bad-factor");
}

TEST_F(DenseFactorTest, NamesThatSeveralRowsHaveCannotBeMatched) {
  names_ = Names({"A", "B", "A"});
  EXPECT_EQ(code_of(table("g\tk\nA\t1\nB\t2\n")), "factor-names");
}

TEST_F(DenseFactorTest, ArraysKeepTheirType) {
  const std::string path = folder_ / "b.npy";
  io::NpyWriter floats(path, {}, ValueType::f32, {3, 2});
  floats.append(std::vector<float>{1, 2, 3, 4, 5, INFINITY});
  floats.commit();
  const DenseFactor factor = read(path);
  EXPECT_EQ(factor.type(), ValueType::f32);
  EXPECT_EQ(static_cast<const float*>(factor.view().values)[4], 5);
  EXPECT_EQ(factor.column_names(), (std::vector<std::string>{"column_1", "column_2"}));
  EXPECT_EQ(factor.n_not_finite(), 1);
  EXPECT_FALSE(factor.has_names());
  EXPECT_EQ(code_of(path, {1, 0, 1}), "bad-factor");
}

TEST_F(DenseFactorTest, RefusesArraysThatDoNotFit) {
  const auto code_of_shape = [&](const std::vector<std::int64_t>& shape, std::size_t n) {
    const std::string path = folder_ / "c.npy";
    std::filesystem::remove(path);
    io::NpyWriter file(path, {}, ValueType::f64, shape);
    file.append(std::vector<double>(n));
    file.commit();
    return code_of(path);
  };
  EXPECT_EQ(code_of_shape({3}, 3), "no error");
  EXPECT_EQ(code_of_shape({3, 256}, 768), "no error");
  EXPECT_EQ(code_of_shape({3, 257}, 771), "bad-factor");
  EXPECT_EQ(code_of_shape({3, 0}, 0), "bad-factor");
  EXPECT_EQ(code_of_shape({2, 3}, 6), "bad-factor");  // turned over
  EXPECT_EQ(code_of_shape({4, 1}, 4), "bad-factor");
  EXPECT_EQ(code_of(folder_ / "b.csv"), "unknown-extension");
  EXPECT_EQ(code_of(folder_ / "none.npy"), "not-found");
  EXPECT_EQ(code_of(folder_ / "none.tsv"), "not-found");
}

TEST_F(DenseFactorTest, IsClaimed) {
  const std::string path = folder_ / "b.npy";
  io::NpyWriter file(path, {}, ValueType::f64, {3, 200});
  file.append(std::vector<double>(600));
  file.commit();
  MemoryBudget little(600 * 8 - 1);
  EXPECT_THROW(DenseFactor::read(path, "--by", rows(), little), Error);
  {
    const DenseFactor factor = read(path);
    EXPECT_EQ(budget_.limit() - budget_.available(), 600 * 8 + product_slack_bytes);
  }
  EXPECT_EQ(budget_.available(), budget_.limit());
}

}  // namespace
}  // namespace quern::cli
