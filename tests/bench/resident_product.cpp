// quern_resident_product FILE COLUMNS THREADS ROUNDS: X times B and X transposed times B with X in memory, in chunks as a run has them.
// Prints one JSON object: the least seconds of all rounds, and sums that tell whether the results are right.
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "host/cpu/cpu_backend.hpp"
#include "host/ops/product.hpp"
#include "host/pipeline/chunk_walk.hpp"
#include "io/input.hpp"

namespace {

using namespace quern;

struct Kept {  // a chunk
  CsrChunkView<MemorySpace::host> view;
  std::vector<std::int32_t> offsets;
  std::vector<std::uint32_t> columns;
  std::vector<float> values;
};

class Keep final : public ChunkWork {
 public:
  explicit Keep(std::int64_t n_cols) : n_cols_(n_cols) {}
  void compute(ChunkSlot&) override {}
  void hand_on(ChunkSlot& slot) override {
    const ChunkBuffer& chunk = slot.chunk;
    const auto n_rows = static_cast<std::size_t>(chunk.rows.size());
    const auto nnz = static_cast<std::size_t>(chunk.offsets[n_rows]);
    Kept& kept = chunks.emplace_back();
    kept.offsets.assign(chunk.offsets, chunk.offsets + n_rows + 1);
    kept.columns.assign(chunk.columns, chunk.columns + nnz);
    kept.values.assign(chunk.values_as<float>(), chunk.values_as<float>() + nnz);
    kept.view = view_of(chunk, n_cols_);
    kept.view.offsets = kept.offsets.data();
    kept.view.columns = kept.columns.data();
    kept.view.values = kept.values.data();
  }
  std::vector<Kept> chunks;

 private:
  std::int64_t n_cols_;
};

// Multiples of 1/256 below 1, which no sum rounds: the same numbers as in dense_products.py.
std::vector<float> make_b(std::int64_t rows, std::int32_t cols) {
  std::vector<float> b(static_cast<std::size_t>(rows * cols) + product_slack_bytes / sizeof(float));
  for (std::size_t i = 0; i < static_cast<std::size_t>(rows * cols); ++i) b[i] = static_cast<float>(i * 2654435761U % 256) / 256;
  return b;
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double sum_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: quern_resident_product FILE COLUMNS THREADS ROUNDS\n", stderr);
    return 2;
  }
  const std::int32_t width = std::atoi(argv[2]);
  const int threads = std::atoi(argv[3]), rounds = std::atoi(argv[4]);
  MemoryBudget budget(std::size_t{16} << 30);
  io::InputOptions how;
  how.threads = threads;
  how.budget = &budget;
  const auto input = io::Input::open(argv[1], how);
  const auto source = input->source(budget);
  const MatrixShape shape = source->shape();
  Keep keep(shape.n_cols);
  PipelineOptions options;
  options.threads = threads;
  walk_chunks(*source, ValueType::f32, keep, pageable_memory(), budget, options);
  const std::vector<float> genes = make_b(shape.n_cols, width), cells = make_b(shape.n_rows, width);
  const auto backend = make_cpu_backend(threads);
  std::vector<double> rows(static_cast<std::size_t>(shape.n_rows * width));
  double straight = 1e9, turned = 1e9, straight_sum = 0, turned_sum = 0;
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  for (int round = 0; round < rounds; ++round) {
    const auto product = backend->open_product({{genes.data(), ValueType::f32, shape.n_cols, width}, false}, shape, budget);
    straight = std::min(straight, seconds_of([&] {
                          arena.execute([&] {
                            tbb::parallel_for(std::size_t{0}, keep.chunks.size(), [&](std::size_t i) {
                              const auto& view = keep.chunks[i].view;
                              product->multiply(view, rows.data() + view.first_row * width);
                            });
                          });
                        }));
    straight_sum = sum_of(rows);
    const auto sums = backend->open_product({{cells.data(), ValueType::f32, shape.n_rows, width}, true}, shape, budget);
    turned = std::min(turned, seconds_of([&] {
                        arena.execute([&] {
                          for (const Kept& kept : keep.chunks) sums->fold(kept.view);
                        });
                      }));
    turned_sum = sum_of(sums->finish());
  }
  std::printf("{\"straight\": %.6f, \"transposed\": %.6f, \"straight_sum\": %.17g, \"transposed_sum\": %.17g, \"nnz\": %lld}\n", straight,
              turned, straight_sum, turned_sum, static_cast<long long>(shape.nnz));
}
