// One column of an array of two or more dimensions, or of a field of arrays, as text.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/hdf5/dataset.hpp"

namespace quern::io {

// Elements [row, place...] of `path` for every row. Strings, numbers, booleans, complex numbers; input_error("bad-type") for others.
std::unique_ptr<NameSource> open_array_column(const Hdf5File& file, const std::string& path, const std::vector<std::int64_t>& place);
// Number `place` of the arrays in `field`, a field of a one-dimensional compound dataset that holds arrays of numbers.
std::unique_ptr<NameSource> open_field_column(const Hdf5File& file, const std::string& path, const std::string& field, std::size_t place);
// Numbers in each array of the field; 0 when the field holds no arrays of numbers.
std::size_t field_width(const Dataset& table, const std::string& field);
// The one value of a dataset without dimensions, or without a dataspace ("null").
std::string scalar_text(const Hdf5File& file, const std::string& path);

// Numbers without a needless ".0": those of the other outputs are in the shortest form, too.
std::unique_ptr<NameSource> shortest_numbers(std::unique_ptr<NameSource> reals);
// 0, 1, 2 ...
std::unique_ptr<NameSource> numbered(std::int64_t size);

}  // namespace quern::io
