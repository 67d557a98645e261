// What the sources of dense matrices share.
#pragma once
#include <cstdint>
#include <memory>

#include "io/hdf5/raw_dataset.hpp"
#include "io/source/slot_planner.hpp"
#include "io/sources.hpp"

namespace quern::io {

// The shape of the result; checks it against what the file's metadata promise (a vector is one column) and the column map.
MatrixShape dense_shape(const MatrixInput& input, const RawDataset& dataset);

SourcePlan plan_of(const MatrixShape& shape, std::int64_t rows_per_chunk, const RowCost& cost);

// Stored chunks, or whatever only HDF5 can read.
std::unique_ptr<ChunkSource> make_tiled_dense_source(const MatrixInput& input, RawDataset dataset, MemoryBudget& budget);

// Giant gzip chunks of whole rows, inflated piecewise.
std::unique_ptr<ChunkSource> make_streamed_dense_source(const MatrixInput& input, RawDataset dataset, MemoryBudget& budget);

}  // namespace quern::io
