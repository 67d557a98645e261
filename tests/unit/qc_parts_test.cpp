// Gene sets, tables, summary and digest of `quern qc`, fed by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "cli/digest.hpp"
#include "cli/qc_run.hpp"
#include "cli/qc_sets.hpp"
#include "cli/qc_summary.hpp"
#include "cli/qc_tables.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Names final : public NameSource {
 public:
  explicit Names(std::vector<std::string> names) : names_(std::move(names)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(names_.size()); }
  void read(RowRange range, std::vector<std::string>& names) override {
    names.assign(names_.begin() + range.first, names_.begin() + range.last);
  }

 private:
  std::vector<std::string> names_;
};

GeneSets sets_of(const std::vector<std::string>& words, const std::vector<std::string>& genes) {
  static MemoryBudget budget(1 << 20);
  Names names(genes);
  return match_gene_sets(parse_qc_vars(words), names, budget);
}
std::string code_of(const std::vector<std::string>& words) {
  try {
    parse_qc_vars(words);
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

TEST(GeneSets, MitochondrialByDefault) {
  const GeneSets sets = sets_of({}, {"MT-ND1", "mt-Nd1", "Mt-nd2", "MTOR", "XMT-1", "mt", "MT-"});
  ASSERT_EQ(sets.sets.size(), 1U);
  EXPECT_EQ(sets.sets[0].name, "mt");
  EXPECT_THAT(sets.members, ElementsAre(1, 1, 1, 0, 0, 0, 1));
  EXPECT_EQ(sets.sets[0].n_genes, 4);
}

TEST(GeneSets, OwnPatternsNoneAndReplacement) {
  EXPECT_TRUE(sets_of({"none"}, {"MT-ND1"}).sets.empty());
  const GeneSets sets = sets_of({"ribo", "hb=^HB[AB]"}, {"RPS6", "Rpl3", "HBA1", "MT-CO1", "HBX"});
  ASSERT_EQ(sets.sets.size(), 3U);
  EXPECT_THAT(sets.members, ElementsAre(2, 2, 4, 1, 0));
  EXPECT_THAT(sets_of({"mt=^chrM"}, {"chrM1", "MT-ND1"}).members, ElementsAre(1, 0));
  EXPECT_EQ(sets_of({"none", "mt,ribo"}, {}).sets.size(), 2U);
}

TEST(GeneSets, ListsFromFiles) {
  const std::string path = (fs::temp_directory_path() / "quern-genes-test.txt").string();
  std::ofstream(path) << "A\r\nB\n\nabsent";
  const auto rules = parse_qc_vars({"none", "own=@" + path});
  EXPECT_EQ(rules[0].n_listed, 3U);
  EXPECT_EQ(rules[0].file, path);
  const GeneSets twice = sets_of({"none", "own=@" + path}, {"A", "B", "B"});
  EXPECT_EQ(twice.sets[0].n_genes, 3);
  EXPECT_EQ(twice.sets[0].n_found, 2);
  EXPECT_THAT(sets_of({"none", "own=@" + path}, {"A", "B", "C"}).members, ElementsAre(1, 1, 0));
  fs::remove(path);
  EXPECT_EQ(code_of({"own=@" + path}), "unreadable-list");
}

TEST(GeneSets, RefusesWhatCannotBe) {
  EXPECT_EQ(code_of({"mito"}), "bad-qc-var");
  EXPECT_EQ(code_of({"=x"}), "bad-qc-var");
  EXPECT_EQ(code_of({"x="}), "bad-qc-var");
  EXPECT_EQ(code_of({"x=("}), "bad-regex");
  std::vector<std::string> many;
  for (int i = 0; i < 32; ++i) many.push_back("set" + std::to_string(i) + "=x");
  EXPECT_EQ(code_of(many), "too-many-qc-vars");
}

TEST(GeneSets, LongNamesAndRepeats) {
  const std::string huge(1'000'000, 'a');  // the regular expressions of the library recurse
  const GeneSets sets = sets_of({"all=^(a|b)*"}, {huge, "ab", "ab", "ab"});
  EXPECT_EQ(sets.sets[1].n_genes, 3);
  EXPECT_EQ(sets.n_repeated_names, 2);
  EXPECT_EQ(sets.n_too_long, 1);
  EXPECT_EQ(sets_of({}, {huge}).n_too_long, 0);  // ready-made groups take any
}

TEST(GeneSets, PatternsThatTryForEver) {
  const auto code_with = [](const std::string& pattern, const std::string& gene) {
    try {
      sets_of({"x=" + pattern}, {gene});
    } catch (const Error& error) {
      return error.code();
    }
    return std::string("none");
  };
  EXPECT_EQ(code_with("(a*)*b", std::string(60, 'a')), "bad-regex");
  EXPECT_EQ(code_with("(|){40}b", "c"), "bad-regex");  // no letter is looked at
  EXPECT_EQ(code_with("^(A|B)[0-9]+\\.1$", "A100\n"), "none");
  EXPECT_EQ(code_with(".*x.*y", std::string(1000, 'a')), "none");
  EXPECT_EQ(code_of({"x=" + std::string(100'000, '(')}), "bad-regex");
  EXPECT_THAT(sets_of({"x=\\bB$"}, {"A-B", "AB", "B"}).members, ElementsAre(2, 0, 2));  // looks behind
}

TEST(PercentTop, Parses) {
  EXPECT_THAT(parse_percent_top("200,50,50,100"), ElementsAre(50, 100, 200));
  EXPECT_THAT(parse_percent_top("99999999999"), ElementsAre(99999999999));
  EXPECT_TRUE(parse_percent_top("none").empty());
  for (const char* text : {"", "0", "-5", "50,", "x", "50,none"}) EXPECT_THROW(parse_percent_top(text), Error) << text;
}

// Three cells, one gene set, one "largest" column: an ordinary cell, an empty one, another.
struct Block {
  std::vector<std::int32_t> n_nonzero{4, 0, 2};
  std::vector<Total> totals{Total{.whole = 10}, Total{.whole = 0}, Total{.whole = 8}};
  std::vector<Total> top{Total{.whole = 9}, Total{.whole = 0}, Total{.whole = 8}};
  std::vector<Total> sets{Total{.whole = 5}, Total{.whole = 0}, Total{.whole = 2}};

  RowPacket packet(std::int64_t first, std::int64_t last, bool integer_mode = true) {
    RowPacket packet;
    const auto at = static_cast<std::size_t>(first);
    packet.block.rows = {first, last};
    packet.block.integer_mode = integer_mode;
    packet.block.n_top = packet.block.n_sets = 1;
    packet.block.n_nonzero = n_nonzero.data() + at;
    packet.block.totals = totals.data() + at;
    packet.block.top = top.data() + at;
    packet.block.sets = sets.data() + at;
    const std::vector<std::string> names{"one", "tw\to", "three"};
    packet.names.assign(names.begin() + first, names.begin() + last);
    return packet;
  }
};

ColumnResults columns() {
  ColumnResults results;
  results.n_nonzero = {2, 1};
  results.totals = {Total{.whole = 12}, Total{.whole = 6}};
  results.grand_total.whole = 18;
  return results;
}

QcTotals summary_of(const std::vector<std::int64_t>& cuts, int abandoned_passes = 0) {
  MemoryBudget budget(1 << 20);
  QcSummary summary(3, 1, budget);
  Block block;
  for (int pass = 0; pass <= abandoned_passes; ++pass) {
    summary.begin(true);
    for (std::size_t i = 1; i < cuts.size(); ++i) {
      RowPacket packet = block.packet(cuts[i - 1], cuts[i]);
      summary.rows(packet);
    }
  }
  summary.finish(columns());
  return summary.totals(2);
}

TEST(QcSummary, MediansAndSums) {
  const QcTotals totals = summary_of({0, 3});
  EXPECT_EQ(totals.n_nonzero, 6);
  EXPECT_EQ(totals.whole_counts, 18);
  EXPECT_EQ(totals.median_genes, 2);
  EXPECT_EQ(totals.median_counts, 8);
  EXPECT_THAT(totals.median_percent, ElementsAre(37.5));  // of 50 and 25; the empty cell has none
  EXPECT_EQ(totals.n_empty_cells, 1);
}

TEST(QcSummary, DigestIgnoresChunksAndAbandonedPasses) {
  const std::string digest = summary_of({0, 3}).digest;
  EXPECT_EQ(digest.size(), 32U);
  EXPECT_EQ(summary_of({0, 1, 2, 3}).digest, digest);
  EXPECT_EQ(summary_of({0, 2, 3}, 1).digest, digest);
}

TEST(QcSummary, Median) {
  std::vector<double> values{5, 1, 4, 2};
  EXPECT_EQ(median(values), 3);
  values = {7};
  EXPECT_EQ(median(values), 7);
  EXPECT_TRUE(std::isnan(median(std::span<double>())));
}

TEST(Digest, SeesEveryArrayAndBit) {
  const auto digest_of = [](const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<ArrayHash> hashes(2);
    hashes[0].add(std::span<const double>(a));
    hashes[1].add(std::span<const double>(b));
    return combined_digest(hashes);
  };
  EXPECT_NE(digest_of({1}, {}), digest_of({}, {1}));
  EXPECT_NE(digest_of({1, 2}, {}), digest_of({2, 1}, {}));
  EXPECT_NE(digest_of({1}, {}), digest_of({std::nextafter(1.0, 2.0)}, {}));
  EXPECT_EQ(digest_of({std::nan("1"), 0.0}, {}), digest_of({-std::nan("2"), -0.0}, {}));
  std::vector<double> many(2000, 1.5);
  const std::string all = digest_of(many, {});
  many.back() = 1.25;
  EXPECT_NE(digest_of(many, {}), all);
}

class QcTables : public testing::Test {
 protected:
  void SetUp() override { fs::remove(path_); }
  void TearDown() override { fs::remove(path_); }
  std::string written() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  std::string path_ = (fs::temp_directory_path() / ("quern-table-" + std::to_string(getpid()) + ".tsv")).string();
};

TEST_F(QcTables, CellsHaveScanpysColumns) {
  io::TextOutput output(path_, {});
  CellsTable table({{50}, {"mt"}, true, false, 3}, output);
  Block block;
  for (int pass = 0; pass < 2; ++pass) {  // what an abandoned pass wrote is gone
    table.begin(true);
    RowPacket packet = block.packet(0, 3);
    table.prepare(packet);
    table.rows(packet);
  }
  output.commit();
  EXPECT_EQ(
      written(),
      "cell\tn_genes_by_counts\tlog1p_n_genes_by_counts\ttotal_counts\tlog1p_total_counts\tpct_counts_in_top_50_genes\ttotal_counts_mt\t"
      "log1p_total_counts_mt\tpct_counts_mt\tn_counts\tn_genes\tpercent_mt\n"
      "one\t4\t1.6094379124341003\t10\t2.3978952727983707\t90\t5\t1.791759469228055\t50\t10\t4\t0.5\n"
      "\"tw\to\"\t0\t0\t0\t0\tnan\t0\t0\tnan\t0\t0\tnan\n"
      "three\t2\t1.0986122886681098\t8\t2.1972245773362196\t100\t2\t1.0986122886681098\t25\t8\t2\t0.25\n");
}

TEST_F(QcTables, GenesAreWrittenAtTheEnd) {
  Names names({"A", "B"});
  io::TextOutput output(path_, {});
  GenesTable table({{}, {}, false, true, 4}, names, output, 2);
  ColumnResults results = columns();
  results.integer_mode = false;
  results.totals = {Total{.real = 1.5}, Total{.real = std::numeric_limits<double>::quiet_NaN()}};
  results.mean = {0.375, 1};
  results.var = {1, 2};
  results.mean_log1p_cpm = {3, 4};
  results.var_log1p_cpm = {5, 6};
  table.finish(results);
  output.commit();
  EXPECT_EQ(written(),
            "gene\tn_cells_by_counts\tmean_counts\tlog1p_mean_counts\tpct_dropout_by_counts\ttotal_counts\tlog1p_total_counts\tmean\tvar\t"
            "mean_log1p_cpm\tvar_log1p_cpm\n"
            "A\t2\t0.375\t0.3184537311185346\t50\t1.5\t0.9162907318741551\t0.375\t1\t3\t5\n"
            "B\t1\tnan\tnan\t75\tnan\tnan\t1\t2\t4\t6\n");
}

}  // namespace
}  // namespace quern::cli
