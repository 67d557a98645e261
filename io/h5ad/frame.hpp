// obs, var and raw.var of every generation.
#pragma once
#include <string>

#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

// `path` is a dataframe group or a compound dataset. A column that cannot be described goes to info.problems, and so does
// a group that does not list its columns (with a warning; it then has none); a frame without a readable index is thrown as input_error
// ("missing-object", "unknown-encoding", "bad-type", "bad-shape").
FrameInfo read_frame(const Hdf5File& file, const std::string& path, FileInfo& info);
// "anndata>=0.8", "anndata 0.7", "anndata<=0.6", by the frame's own form.
std::string frame_generation(const Hdf5File& file, const std::string& path);

}  // namespace quern::io
