// The calls of cuBLAS that this folder uses, each under its own name, as runtime.hpp has those of the CUDA runtime; tests/emulation holds a
// stand-in. The library is large and not everywhere: it is opened by the first call of `refusal`, and nothing else here works before that.
#pragma once
#include <cstdint>
#include <string>

#include "cuda/runtime.hpp"

namespace quern::cuda::dense {

using Handle = void*;

// Why the library cannot be used, in words; empty: it can.
std::string refusal();

Status create(Handle& handle);  // of the current device
Status destroy(Handle handle);
// What the handle does from now on is ordered by the stream and works in this memory of the device, so that it is the same from run to run.
Status use(Handle handle, Stream stream, void* workspace, std::size_t workspace_bytes);

// products += transposed rows times rows, enqueued. `rows` is n_rows x n_genes, row after row; `products` n_genes x n_genes, of which the
// part at and right of the diagonal is touched.
Status add_products(Handle handle, const double* rows, std::int32_t n_rows, std::int32_t n_genes, double* products);

}  // namespace quern::cuda::dense
