#include "cli/program.hpp"

int main(int argc, char** argv) { return quern::cli::run_program(argc, argv); }
