// From argv to exit code.
#pragma once

namespace quern::cli {

int run_program(int argc, char** argv);

}  // namespace quern::cli
