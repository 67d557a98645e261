// Datasets of any type on their way from one file to the other: whole, as they are stored, or the chosen part of them.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "io/carry/context.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/dataset.hpp"

namespace quern::io {

// Copies `from` with the chosen positions of its first axes (fewer selections than axes: the others are kept whole). Whole datasets keep
// their chunks and compression, and are neither decoded nor checked; others are contiguous or gzip:4, as the source was compressed or
// not. No attributes. Memory: a piece, or one stored chunk. Throws input_error("bad-type") for references, which would point into the
// other file.
OutputDataset copy_array(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name,
                         std::span<const Selection> axes);

// A list of integers as signed ones of 4 or 8 bytes, compressed if the source is. Throws input_error("bad-index") for what is no index.
void copy_integers(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name, std::size_t bytes);

// A list of numbers in another type that holds them exactly.
void copy_values(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name, hid_t type);

// The chosen rows of one field of a compound dataset; a field of arrays becomes an array of more dimensions.
OutputDataset copy_field(CarryContext& context, const Dataset& from, const std::string& field, const OutputGroup& to,
                         const std::string& name, const Selection& rows);

// Attributes that are not in `known`, as they are. A reference is left out, with a warning.
void copy_attributes(CarryContext& context, hid_t from, const std::string& where, hid_t to, const std::string& path,
                     std::span<const char* const> known);

}  // namespace quern::io
