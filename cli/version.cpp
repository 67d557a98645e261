#include "cli/version.hpp"

namespace quern::cli {

const char* version() { return QUERN_VERSION; }

}  // namespace quern::cli
