// One chunk in all the ways it may lie on a device, what the kernels make of it, and what the CPU backend does.
#pragma once
#include <cstring>
#include <string>
#include <vector>

#include "cuda/kernels/chunk_args.hpp"
#include "host/core/backend.hpp"
#include "host/ops/op_spec.hpp"
#include "tests/emulation/coded_chunk.hpp"
#include "tests/emulation/launches.hpp"
#include "tests/support/memory_source.hpp"

namespace quern::emulation {

// Rows and what is asked of them.
struct KernelCase {
  test::Rows rows;
  std::uint32_t n_cols = 0;
  std::vector<std::int32_t> n_largest;
  std::vector<std::uint32_t> gene_sets;  // empty, or n_cols words
  int n_sets = 0;
  bool moments = false, whole = true;
  ValueType value_type = ValueType::f32;
};

// Row results word by word, gene results as the finished statistics.
struct KernelResults {
  std::vector<std::int32_t> n_nonzero;
  std::vector<std::uint64_t> totals, top, sets;
  std::vector<std::uint64_t> gene_counts, gene_totals, grand_total;
  std::vector<std::uint64_t> mean, var, mean_log1p_cpm, var_log1p_cpm;  // bits of doubles
  bool operator==(const KernelResults&) const = default;
  // The first array that differs, and where: empty if equal.
  std::string difference(const KernelResults& other) const;
};

// The codes that can hold the case's columns and values (u8 with escapes for whole numbers).
std::vector<Codes> possible_codes(const KernelCase& input);

struct KernelSetting {
  Codes codes;
  cuda::DeviceShape device{3, 48 * 1024};
  GridLauncher launcher;
  std::size_t rows_a_chunk = 0;  // 0: all in one chunk
  bool carry = false;            // between chunks of real passes
};

KernelResults cpu_results(const KernelCase& input);
KernelResults kernel_results(const KernelCase& input, const KernelSetting& setting);

}  // namespace quern::emulation
