#include "datasets/generate.hpp"

#include <sys/stat.h>
#include <tbb/global_control.h>

#include <cerrno>
#include <limits>

#include "datasets/layouts.hpp"
#include "host/core/error.hpp"
#include "io/file_errors.hpp"

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
  return plan;
}

void check_layout(const GenerateSpec& spec) {
  if (is_tenx(spec) && spec.n_cells > std::numeric_limits<std::int32_t>::max())
    throw usage_error("out-of-range", "--cells", "a 10x file counts its cells in 32 bits", "use --layout modern");
}

MatrixTotals write_layout(io::OutputFile& file, const WriteContext& context) {
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

std::int64_t size_of_file(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) throw io::write_error(path, "look at the finished file", errno);
  return info.st_size;
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
  io::SafeFile target(path, options.output);
  report.warnings = target.warnings();

  StreamOptions stream{options.threads, {}};
  if (options.progress) stream.progress = [&](std::int64_t values) { options.progress(values, report.plan.nnz); };
  io::OutputFile file = io::OutputFile::create(target.path());
  const MatrixTotals totals = write_layout(file, {content, report.plan, budget, stream});
  file.close();
  report.file_bytes = size_of_file(target.path());
  target.commit();
  for (const RowSampler::Totals& cell : totals.of_cell) report.total_counts += cell.counts;
  return report;
}

}  // namespace quern::datasets
