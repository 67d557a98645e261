// Names that outputs have while they are written, and the folders they stand in.
#pragma once
#include <string>
#include <vector>

#include "io/file_info.hpp"

namespace quern::io {

// Absolute, links followed as far as they lead; a dangling link leads to the file it would make. Throws output_error.
std::string follow_links(const std::string& target);
// A new `.NAME.PID.RANDOM.part` beside the target.
std::string new_part_path(const std::string& target);
// Says which parts of this target processes left that are gone ("stale-part").
std::vector<Warning> find_stale_parts(const std::string& target);
// Brings the names in the folder of `path` to disk. Throws output_error.
void sync_folder(const std::string& path);

}  // namespace quern::io
