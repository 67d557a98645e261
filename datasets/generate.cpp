#include "datasets/generate.hpp"

#include <tbb/global_control.h>

#include <limits>

#include "datasets/layouts.hpp"
#include "host/core/error.hpp"
#include "io/carry/h5ad_output.hpp"

namespace quern::datasets {
namespace {

bool is_tenx(const GenerateSpec& spec) { return spec.layout == Layout::tenx_v2 || spec.layout == Layout::tenx_v3; }

// What the usual writer of the layout chooses: Cell Ranger 80,000 elements, anndata h5py's guess.
std::int64_t choose_chunk_length(const GenerateSpec& spec, std::int64_t nnz) {
  if (spec.chunk_length > 0) return spec.chunk_length;
  if (is_tenx(spec)) return 80'000;
  return io::h5py_chunk_length(nnz, sizeof(float));
}

GeneratePlan make_plan(const Content& content, int threads) {
  GeneratePlan plan{content.spec.n_cells, content.spec.n_genes};
  for (std::int64_t i = 0; i < plan.n_cells; ++i) plan.nnz += content.model.cell(i).n_genes;
  const io::ChunkedShape shape{plan.nnz, choose_chunk_length(content.spec, plan.nnz)};
  plan.chunk_length = shape.chunk_length;
  plan.n_chunks = shape.n_chunks();
  plan.wide_indices = is_tenx(content.spec) || content.spec.wide_indices || plan.nnz > std::numeric_limits<std::int32_t>::max();
  plan.memory_bytes = stream_bytes(content.spec, shape, plan.wide_indices, threads) + content.model.bytes() + table_bytes(content.spec) +
                      static_cast<std::size_t>(plan.n_cells) * sizeof(RowSampler::Totals);
  // No compression goes below half a byte a value, but on long runs.
  plan.least_file_bytes = content.spec.compression.packing == io::Packing::none ? 8 * plan.nnz : plan.nnz / 2;
  return plan;
}

void check_layout(const GenerateSpec& spec) {
  if (is_tenx(spec) && spec.n_cells > std::numeric_limits<std::int32_t>::max())
    throw usage_error("out-of-range", "--cells", "a 10x file counts its cells in 32 bits", "use --layout modern");
}

MatrixTotals write_layout(const io::OutputFile& file, const WriteContext& context) {
  switch (context.content.spec.layout) {
    case Layout::modern:
      return write_modern(file, context);
    case Layout::legacy:
      return write_legacy(file, context);
    case Layout::tenx_v2:
    case Layout::tenx_v3:
      return write_tenx(file, context);
  }
  return {};
}

void commit(io::H5adOutput& output, const GenerateSpec& spec) {
  const io::ExpectedH5ad expected{spec.n_cells, spec.n_genes, true};
  if (is_tenx(spec))
    output.commit_tenx(expected);
  else
    output.commit(expected);
}

}  // namespace

GeneratePlan plan_generation(const GenerateSpec& spec, int threads) {
  check_layout(spec);
  return make_plan(Content(spec), threads);
}

GenerateReport generate(const GenerateSpec& spec, const std::string& path, MemoryBudget& budget, const GenerateOptions& options) {
  check_layout(spec);
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(options.threads));
  const Content content(spec);
  GenerateReport report;
  report.plan = make_plan(content, options.threads);
  const Claim genes = budget.claim("gene tables", content.model.bytes());
  const Claim tables = budget.claim("obs, var and indptr on their way out", table_bytes(spec));
  const Claim cells = budget.claim("totals of the cells", static_cast<std::size_t>(spec.n_cells) * sizeof(RowSampler::Totals));

  StreamOptions stream{options.threads, {}};
  if (options.progress) stream.progress = [&](std::int64_t values) { options.progress(values, report.plan.nnz); };
  try {
    io::H5adOutput output(path, options.output, report.plan.least_file_bytes);
    report.warnings = output.warnings();
    const MatrixTotals totals = write_layout(output.file(), {content, report.plan, budget, stream});
    commit(output, spec);
    report.file_bytes = output.file_bytes();
    for (const RowSampler::Totals& cell : totals.of_cell) report.total_counts += cell.counts;
  } catch (Error& error) {
    if (error.kind() == ErrorKind::output) error.in_file(path);
    throw;
  }
  return report;
}

}  // namespace quern::datasets
