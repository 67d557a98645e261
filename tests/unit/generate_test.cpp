#include "datasets/generate.hpp"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <cmath>
#include <set>
#include <tuple>

#include "datasets/annotations.hpp"
#include "datasets/matrix_segment.hpp"
#include "datasets/random.hpp"
#include "host/core/error.hpp"
#include "tests/support/temp_folder.hpp"

namespace quern::datasets {
namespace {

GenerateSpec small(const std::string& preset, std::int64_t cells, std::int64_t genes = 2000, double per_cell = 100) {
  SpecChanges changes;
  changes.n_cells = cells;
  changes.n_genes = genes;
  changes.genes_per_cell = per_cell;
  return make_spec(preset, changes);
}

TEST(Layouts, OfTenXCountCellsIn32Bits) {
  GenerateSpec spec = small("pbmc3k", 3'000'000'000);
  spec.layout = Layout::tenx_v3;
  EXPECT_THROW(plan_generation(spec, 1), Error);
}

TEST(PortableMath, AgreesWithTheLibrary) {
  for (double x = -30; x < 30; x += 0.37) EXPECT_NEAR(portable_exp(x) / std::exp(x), 1, 2e-15) << x;
  for (double x = 1e-6; x < 1e9; x *= 1.7) EXPECT_NEAR(portable_log(x), std::log(x), 1e-15 * std::max(1.0, std::abs(std::log(x)))) << x;
  EXPECT_EQ(portable_log(1.0), 0.0);
  EXPECT_EQ(portable_exp(0.0), 1.0);
}

// Published values of the set that the preset imitates: counts of a cell, count of a gene, log1p of counts per million.
TEST(PortableMath, PublishedLogCpm) {
  const std::tuple<int, int, float> published[] = {
      {9848, 3, 5.7223763F}, {9848, 2, 5.318546F}, {17175, 1, 4.08133F}, {22181, 3, 4.914498F}, {19531, 1, 3.955095F}};
  for (const auto& [total, count, value] : published) EXPECT_EQ(static_cast<float>(portable_log(1.0 + count * (1e6 / total))), value);
}

TEST(RandomStream, IsTheSameForEver) {
  RandomStream stream(0, Purpose::cell_reads, 12345);
  const std::uint64_t first = stream.bits(), second = stream.bits();
  EXPECT_EQ(first, RandomStream(0, Purpose::cell_reads, 12345).bits());
  EXPECT_NE(first, second);
  EXPECT_NE(first, RandomStream(1, Purpose::cell_reads, 12345).bits());
  EXPECT_NE(first, RandomStream(0, Purpose::cell_size, 12345).bits());
  EXPECT_NE(first, RandomStream(0, Purpose::cell_reads, 12346).bits());
}

TEST(RandomStream, NormalHasMeanZeroAndVarianceOne) {
  RandomStream stream(3, Purpose::genes, 0);
  double sum = 0, squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double z = stream.normal();
    sum += z;
    squares += z * z;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
}

TEST(AliasTable, DrawsInProportion) {
  const std::vector<std::uint32_t> items{7, 8, 9, 10};
  const AliasTable table(items, std::vector<double>{1, 0, 2, 5});
  std::vector<int> drawn(11);
  constexpr int kDraws = 1 << 16;
  for (std::uint64_t i = 0; i < kDraws; ++i) ++drawn[table.draw(static_cast<std::uint32_t>(i * ((1ULL << 32) / kDraws)))];
  EXPECT_NEAR(drawn[7], kDraws * 0.125, 4);
  EXPECT_EQ(drawn[8], 0);
  EXPECT_NEAR(drawn[9], kDraws * 0.25, 4);
  EXPECT_NEAR(drawn[10], kDraws * 0.625, 4);
}

TEST(Genes, NamesAreUniqueAndFamiliesWhole) {
  for (const std::string& preset : preset_names()) {
    const GenerateSpec spec = make_spec(preset, {});
    const GeneCatalog genes = make_genes(spec);
    ASSERT_EQ(genes.size(), static_cast<std::size_t>(spec.n_genes));
    EXPECT_EQ(std::set<std::string>(genes.symbols.begin(), genes.symbols.end()).size(), genes.size()) << preset;
    EXPECT_EQ(std::set<std::string>(genes.ids.begin(), genes.ids.end()).size(), genes.size()) << preset;
    EXPECT_EQ(genes.members(GeneClass::mitochondrial).size(), 13U);
    EXPECT_GT(genes.members(GeneClass::ribosomal).size(), 70U);
    for (const std::uint32_t g : genes.members(GeneClass::mitochondrial))
      EXPECT_EQ(genes.symbols[g].substr(0, 3), spec.biology.species == Species::human ? "MT-" : "mt-");
  }
}

TEST(Cells, BarcodesAreUnique) {
  const GenerateSpec spec = small("atlas-11m", 200'000);
  const CellNames names(spec);
  std::set<std::string> seen;
  for (std::int64_t i = 0; i < spec.n_cells; ++i) seen.insert(names.name(i, Cell{0, 0, 0}));
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(spec.n_cells));
}

struct Rows {
  std::vector<std::int32_t> columns;
  std::vector<std::uint32_t> counts;
  std::int64_t mito = 0, total = 0;
};

Rows make_rows(const GenerateSpec& spec) {
  const GeneCatalog genes = make_genes(spec);
  const CellModel model(spec, genes);
  RowSampler sampler(model, genes);
  std::vector<std::int32_t> columns(genes.size());
  std::vector<std::uint32_t> counts(genes.size());
  Rows rows;
  for (std::int64_t i = 0; i < spec.n_cells; ++i) {
    const Cell cell = model.cell(i);
    const RowSampler::Totals totals = sampler.sample(i, cell, columns.data(), counts.data());
    for (std::int32_t k = 0; k < cell.n_genes; ++k) {
      const auto at = static_cast<std::size_t>(k);
      EXPECT_TRUE(k == 0 || columns[at - 1] < columns[at]);
      EXPECT_GT(counts[at], 0U);
      rows.columns.push_back(columns[at]);
      rows.counts.push_back(counts[at]);
    }
    rows.mito += totals.mito;
    rows.total += totals.counts;
  }
  return rows;
}

TEST(Cells, LookLikeDropletData) {
  SpecChanges changes;
  changes.n_cells = 1000;
  for (const std::string& preset : preset_names()) {
    const GenerateSpec spec = make_spec(preset, changes);
    const Rows rows = make_rows(spec);
    const auto nnz = static_cast<double>(rows.counts.size());
    const auto share = [&](auto keep) { return static_cast<double>(std::count_if(rows.counts.begin(), rows.counts.end(), keep)) / nnz; };
    EXPECT_NEAR(nnz / static_cast<double>(spec.n_cells) / spec.genes_per_cell, 1, 0.1) << preset;
    EXPECT_NEAR(share([](std::uint32_t c) { return c == 1; }), 0.67, 0.04) << preset;
    EXPECT_GT(share([](std::uint32_t c) { return c <= 15; }), 0.97) << preset;
    EXPECT_NEAR(static_cast<double>(rows.mito) / static_cast<double>(rows.total), 0.03, 0.02) << preset;
  }
}

TEST(Cells, DenseCellsAreFilledUp) {
  const GenerateSpec spec = small("pbmc3k", 50, 60, 45);
  const Rows rows = make_rows(spec);
  EXPECT_NEAR(static_cast<double>(rows.columns.size()) / 50, 40, 5);  // no cell has more than 51 of the 60 genes
  for (const std::int32_t column : rows.columns) EXPECT_TRUE(column >= 0 && column < 60);
}

// The data themselves are part of what is promised: a change here is a change for everybody who cites a preset.
TEST(Cells, SameDataForEver) {
  const auto digest = [](const std::string& preset) {
    SpecChanges changes;
    changes.n_cells = 200;
    const Rows rows = make_rows(make_spec(preset, changes));
    return XXH3_64bits(rows.columns.data(), rows.columns.size() * 4) ^ XXH3_64bits(rows.counts.data(), rows.counts.size() * 4);
  };
  EXPECT_EQ(digest("tabula-muris-droplet"), 15876169195683273615ULL);
  EXPECT_EQ(digest("pbmc3k"), 15017242473219776718ULL);
  EXPECT_EQ(digest("brain-1.3m"), 17216507126766632777ULL);
  EXPECT_EQ(digest("atlas-11m"), 6764637611900831294ULL);
}

TEST(SegmentPlanner, SegmentsTileTheMatrix) {
  const GenerateSpec spec = small("pbmc3k", 500, 300, 3);  // some cells are empty
  const GeneCatalog genes = make_genes(spec);
  const CellModel model(spec, genes);
  std::vector<std::int64_t> ends{0};
  for (std::int64_t i = 0; i < spec.n_cells; ++i) ends.push_back(ends.back() + model.cell(i).n_genes);
  for (const std::int64_t chunk : {1, 7, 64, 100'000}) {
    SegmentPlanner planner(model, spec.n_cells, {ends.back(), chunk}, 2);
    SegmentPlace place;
    std::int64_t next = 0;
    while (planner.next(place)) {
      EXPECT_EQ(place.first, next);
      EXPECT_EQ(ends[static_cast<std::size_t>(place.first_row)] + place.skip, place.first);
      EXPECT_GE(ends[static_cast<std::size_t>(place.last_row)], place.first + place.length);
      next += place.length;
    }
    EXPECT_EQ(next, ends.back());
  }
}

TEST(Generate, SameBytesForAnyNumberOfThreads) {
  const test::TempFolder folder;
  for (const char* preset : {"tabula-muris-droplet", "atlas-11m", "brain-1.3m"}) {
    const GenerateSpec several_segments = small(preset, 2500, 2000, 400);
    std::string first;
    for (const int threads : {1, 2, 5}) {
      MemoryBudget budget(256 << 20);
      GenerateOptions options;
      options.threads = threads;
      options.output.force = true;
      const GenerateReport report = generate(several_segments, folder / "x", budget, options);
      const std::string bytes = test::file_contents(folder / "x");
      EXPECT_EQ(report.file_bytes, static_cast<std::int64_t>(bytes.size()));
      EXPECT_LE(budget.peak(), report.plan.memory_bytes);
      if (first.empty()) first = bytes;
      EXPECT_TRUE(bytes == first) << preset << " with " << threads << " threads";
    }
  }
}

TEST(Generate, StoppedRunsLeaveNothing) {
  const test::TempFolder folder;
  MemoryBudget budget(256 << 20);
  GenerateOptions options;
  options.progress = [](std::int64_t, std::int64_t) { throw Interrupted(); };
  EXPECT_THROW(generate(small("pbmc3k", 300), folder / "x.h5ad", budget, options), Interrupted);
  EXPECT_EQ(folder.n_files(), 0U);
}

TEST(Generate, TooLittleMemoryIsSaidBeforeAnythingIsWritten) {
  const test::TempFolder folder;
  MemoryBudget budget(1 << 20);
  EXPECT_THROW(generate(small("pbmc3k", 300), folder / "x.h5ad", budget, {}), Error);
  EXPECT_EQ(folder.n_files(), 0U);
}

TEST(Spec, WrongWordsAreRefused) {
  SpecChanges bad_layout, no_genes, too_many;
  bad_layout.layout = "loom";
  no_genes.n_genes = 0;
  too_many.genes_per_cell = 40'000;
  for (const SpecChanges& changes : {bad_layout, no_genes, too_many}) EXPECT_THROW(make_spec("pbmc3k", changes), Error);
  EXPECT_THROW(make_spec("pbmc4k", {}), Error);
}

}  // namespace
}  // namespace quern::datasets
