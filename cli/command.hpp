// What a verb is. To add one: a class in commands/, a maker declared here, a line in verbs.cpp.
#pragma once
#include <memory>
#include <vector>

#include "cli/option_set.hpp"
#include "cli/session.hpp"

namespace quern::cli {

class Command {
 public:
  virtual ~Command() = default;
  virtual void declare(OptionSet& set, SharedOptions& shared) = 0;
  virtual void run(Session& session) = 0;        // throws Error, Interrupted; a finding that is no error: exit_status
  virtual int exit_status() const { return 0; }  // after run
};

struct Verb {
  const char* name;
  const char* summary;   // one line for the list of verbs
  const char* examples;  // lines of "COMMAND   # what it does", without indentation
  std::unique_ptr<Command> (*make)();
};

const std::vector<Verb>& verbs();

std::unique_ptr<Command> make_info();
std::unique_ptr<Command> make_qc();
std::unique_ptr<Command> make_show();
std::unique_ptr<Command> make_check();
std::unique_ptr<Command> make_devices();
std::unique_ptr<Command> make_doctor();
std::unique_ptr<Command> make_generate();
std::unique_ptr<Command> make_normalize();
std::unique_ptr<Command> make_convert();
std::unique_ptr<Command> make_filter();
std::unique_ptr<Command> make_gram();
std::unique_ptr<Command> make_pca();
std::unique_ptr<Command> make_multiply();
std::unique_ptr<Command> make_hvg();
std::unique_ptr<Command> make_aggregate();

}  // namespace quern::cli
