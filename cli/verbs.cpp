#include "cli/command.hpp"

namespace quern::cli {

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table{
      {"devices", "what computes here",
       "quern devices\n"
       "quern devices --json -\n",
       make_devices},
      {"doctor", "what works on this machine, and why not",
       "quern doctor\n"
       "quern doctor --json doctor.json\n",
       make_doctor},
  };
  return table;
}

}  // namespace quern::cli
