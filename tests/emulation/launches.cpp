// The functions of cuda/kernels/launches.hpp for machines without a device: the kernels' own sources, run by the emulation when the fake
// runtime's stream gets to them.
#include "tests/emulation/launches.hpp"

#include <cstdlib>
#include <string_view>

#include "cuda/kernels/product_dispatch.hpp"
#include "tests/emulation/fake_runtime.hpp"

namespace quern {
namespace {

// QUERN_EMULATION_ORDER=ascending|descending|shuffled; QUERN_EMULATION_CHECKED=0: accesses are not checked, which is quicker
emulation::LaunchSettings settings_asked_for() {
  emulation::LaunchSettings settings;
  const char* word = std::getenv("QUERN_EMULATION_ORDER");
  const std::string_view order = word ? word : "ascending";
  if (order == "descending") settings.schedule.order = emulation::LaneOrder::descending;
  if (order == "shuffled") settings.schedule.order = emulation::LaneOrder::shuffled;
  if (const char* checked = std::getenv("QUERN_EMULATION_CHECKED"); checked && std::string_view(checked) == "0") settings.checked_nnz = -1;
  return settings;
}

}  // namespace

emulation::LaunchSettings& emulation::launch_settings() {
  static LaunchSettings settings = settings_asked_for();
  return settings;
}

namespace cuda {
namespace {

emulation::GridLauncher launcher_for(std::int64_t nnz) {
  const auto& settings = emulation::launch_settings();
  emulation::GridLauncher launcher{settings.schedule, settings.threads};
  launcher.schedule.checked = launcher.schedule.checked && nnz <= settings.checked_nnz;
  return launcher;
}

}  // namespace

std::size_t scratch_bytes(const PassSpec& pass) { return dispatch_scratch_bytes(pass); }

void launch_whole_chunk(const ChunkJob& job, Stream stream) {
  fake::enqueue(stream, "whole_chunk", [job] {
    auto launcher = launcher_for(job.chunk.nnz);
    dispatch_whole_chunk(job, emulation::launch_settings().device, launcher);
  });
}

void launch_real_chunk(const ChunkJob& job, Stream stream) {
  fake::enqueue(stream, "real_chunk", [job] {
    auto launcher = launcher_for(job.chunk.nnz);
    dispatch_real_chunk(job, emulation::launch_settings().device, launcher);
  });
}

void launch_carry(const PassSpec& pass, const GeneTables& genes, Stream stream) {
  fake::enqueue(stream, "carry", [pass, genes] {
    auto launcher = launcher_for(0);
    dispatch_carry(pass, genes, emulation::launch_settings().device, launcher);
  });
}

void launch_multiply_rows(const MultiplyJob& job, Stream stream) {
  fake::enqueue(stream, "multiply_rows", [job] {
    auto launcher = launcher_for(job.chunk.nnz);
    dispatch_multiply_rows(job, emulation::launch_settings().device, launcher);
  });
}

void launch_fold_genes(const FoldJob& job, Stream stream) {
  fake::enqueue(stream, "fold_genes", [job] {
    auto launcher = launcher_for(job.chunk.nnz);
    dispatch_fold_genes(job, emulation::launch_settings().device, launcher);
  });
}

void launch_map_values(const MapJob& job, Stream stream) {
  fake::enqueue(stream, "map_values", [job] {
    auto launcher = launcher_for(job.chunk.nnz);
    dispatch_map_values(job, emulation::launch_settings().device, launcher);
  });
}

void launch_densify_rows(const DensifyJob& job, Stream stream) {
  fake::enqueue(stream, "densify_rows", [job] {
    auto launcher = launcher_for(job.chunk.nnz);
    dispatch_densify_rows(job, emulation::launch_settings().device, launcher);
  });
}

}  // namespace cuda
}  // namespace quern
