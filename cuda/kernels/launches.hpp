// The functions that start device work. Each enqueues on the stream, which comes last, and returns at once; errors are asked for by the
// caller (cuda/check.hpp). nvcc compiles one definition; tests/emulation holds another, for machines without a device.
#pragma once
#include <cstddef>

#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda {

// Bytes that a ChunkJob of this pass needs as scratch. Pure; the pointers of `pass` are not looked at.
std::size_t scratch_bytes(const PassSpec& pass);

// Row results of the chunk, and its fold into the gene tables. A chunk of no rows or no values is allowed.
void launch_whole_chunk(const ChunkJob& job, Stream stream);
void launch_real_chunk(const ChunkJob& job, Stream stream);

// Carries between the limbs of the real tables, so that 2^29 more rows can be folded. No chunk may be in flight.
void launch_carry(const PassSpec& pass, const GeneTables& genes, Stream stream);

// What normalize writes: every stored value through job.map.
void launch_map_values(const MapJob& job, Stream stream);

// Rows written out into a zeroed tile, for products of genes with genes.
void launch_densify_rows(const DensifyJob& job, Stream stream);

}  // namespace quern::cuda
