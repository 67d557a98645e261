#pragma once

namespace quern::cli {

const char* version();     // "0.1.0"
const char* git_commit();  // of the source it was built from; empty outside a repository

}  // namespace quern::cli
