// Any element of an h5ad, by its own form, as anndata 0.8 would write it.
#pragma once
#include <span>
#include <string>

#include "io/carry/context.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/dataset.hpp"

namespace quern::io {

// The element at `path`; `axes` are the selections of its first dimensions (none: it is no array of cells or genes). Values without
// content (anndata's None, links that lead nowhere) are left out with a warning. Throws input_error "unknown-encoding" for what cannot
// be copied in part because it is not understood, and what the readers throw.
void copy_element(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name,
                  std::span<const Selection> axes);

// All members of a group of such elements (of the fields of an old table of arrays) but those in `without`.
void copy_members(CarryContext& context, const std::string& path, const OutputGroup& to, std::span<const Selection> axes,
                  std::span<const std::string> without = {});

// A sparse matrix. Whole ones keep their storage and, where the types of the indices suit every reader, their chunks; parts of them
// become CSR with sorted indices in the type of their values.
void copy_sparse(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name,
                 std::span<const Selection> axes);

// What is tagged in a way not known here: exactly as it is, attributes included, if `whole`; else input_error("unknown-encoding").
void copy_unknown(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name, bool whole);

// The one value of a dataset without dimensions, as an array of one.
OutputDataset copy_single(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name);

}  // namespace quern::io
