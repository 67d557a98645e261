#include "cli/help.hpp"

#include <fmt/format.h>

#include <sstream>

#include "cli/version.hpp"
#include "cli/wrap.hpp"

namespace quern::cli {
namespace {

std::string indented(const std::string& lines) {
  std::string result;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) result += "  " + line + "\n";
  return result;
}

constexpr const char* main_examples =
    "quern info pbmc.h5ad                              # what is in the file\n"
    "quern qc pbmc.h5ad                                # cell and gene statistics\n"
    "quern qc pbmc.h5ad --layer raw --cells-out cells.tsv --genes-out genes.tsv\n";

}  // namespace

std::string main_help() {
  std::string text = "Quern streams single-cell matrices of any size through little memory.\n\n" + indented(main_examples) +
                     "\nUsage: quern VERB INPUT [options]\n\nVerbs\n";
  for (const Verb& verb : verbs()) text += help_line(verb.name, verb.summary);
  text +=
      "\nOptions\n" + help_line("-h, --help", "this text; quern VERB --help for a verb's own") + help_line("-V, --version", "the version");
  return text +
         "\nExit codes: 0 done, 1 internal error, 2 usage, 3 input, 4 output or disk, 5 would not fit, 6 device,\n"
         "130 and 143 stopped by a signal.\n";
}

std::string verb_help(const Verb& verb, const OptionSet& options) {
  return fmt::format("quern {}: {}\n\n{}\nUsage: quern {} {}[options]\n{}{}", verb.name, verb.summary, indented(verb.examples), verb.name,
                     options.usage_words(), options.help_text(), help_line("-h, --help", "this text"));
}

std::string version_text() {
  const std::string commit = git_commit();
  return fmt::format("quern {}{}\n", version(), commit.empty() ? "" : " (" + commit + ")");
}

}  // namespace quern::cli
