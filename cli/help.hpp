// The help texts.
#pragma once
#include <string>

#include "cli/command.hpp"

namespace quern::cli {

std::string main_help();
std::string verb_help(const Verb& verb, const OptionSet& options);
std::string version_text();

}  // namespace quern::cli
