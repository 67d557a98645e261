// Kernels against the CPU backend: same bits, in every order of lanes, for every code of a chunk, however it is cut.
#pragma once
#include <gtest/gtest.h>

#include "tests/emulation/random_rows.hpp"

namespace quern::emulation {

inline void expect_same(const KernelCase& input, const cuda::DeviceShape& device = {3, 48 * 1024}) {
  const KernelResults expected = cpu_results(input);
  for (const Codes& codes : possible_codes(input))
    for (const LaneOrder order : {LaneOrder::ascending, LaneOrder::descending, LaneOrder::shuffled})
      for (const std::size_t rows_a_chunk : {0, 1, 3}) {
        if (rows_a_chunk && (input.rows.size() > 40 || order != LaneOrder::shuffled)) continue;
        const KernelSetting setting{codes, device, {{order, 11, true}, 64}, rows_a_chunk, rows_a_chunk > 0};
        ASSERT_EQ(kernel_results(input, setting).difference(expected), "")
            << "order " << static_cast<int>(order) << ", columns " << static_cast<int>(codes.columns) << ", values "
            << static_cast<int>(codes.values) << ", rows a chunk " << rows_a_chunk;
      }
}

}  // namespace quern::emulation
