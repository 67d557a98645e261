# Run in every build: writes OUT, the definition of git_commit(), when the commit of SOURCE is another than the one it tells.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
file(CONFIGURE OUTPUT ${OUT} CONTENT [[
#include "cli/version.hpp"

namespace quern::cli {

const char* git_commit() { return "@commit@"; }

}  // namespace quern::cli
]] @ONLY)
