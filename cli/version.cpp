#include "cli/version.hpp"

namespace quern::cli {

const char* version() { return QUERN_VERSION; }
const char* git_commit() { return QUERN_GIT; }

}  // namespace quern::cli
