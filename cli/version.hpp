#pragma once

namespace quern::cli {

const char* version();     // "0.1.0"
const char* git_commit();  // of the source when it was built, from git_commit.cmake; empty outside a repository

}  // namespace quern::cli
