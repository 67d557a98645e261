// What `quern info` says of a file.
#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "cli/json_report.hpp"
#include "io/file_info.hpp"

namespace quern::cli {

// The `result` of `info --json`.
Json info_result(const io::FileInfo& info);
// The same for people, some lines.
std::string info_text(const io::FileInfo& info);

// Bytes the matrix takes in memory as it is stored; sparse ones with their index arrays.
std::int64_t bytes_in_memory(const io::MatrixInfo& matrix);

}  // namespace quern::cli
