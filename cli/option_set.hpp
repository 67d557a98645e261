// The options of one verb: declared once each, parsed, and told as help. The parser behind it (CLI11) stays in option_set.cpp.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace quern::cli {

// Targets must outlive the set. `names` is "-t,--threads" or "--threads"; `value` is the word the help shows for the value.
// An option given twice: the last one counts, but for lists.
class OptionSet {
 public:
  OptionSet();
  ~OptionSet();
  OptionSet(const OptionSet&) = delete;
  OptionSet& operator=(const OptionSet&) = delete;

  void group(const std::string& title);  // heading of what is declared next
  void positional(const std::string& value, std::string& target, const std::string& help, bool required = true);
  void positionals(const std::string& value, std::vector<std::string>& target, const std::string& help);  // one or more
  void flag(const std::string& names, bool& target, const std::string& help);
  void text(const std::string& names, const std::string& value, std::string& target, const std::string& help);
  void list(const std::string& names, const std::string& value, std::vector<std::string>& target, const std::string& help);
  void choice(const std::string& names, const std::vector<std::string>& words, std::string& target, const std::string& help);
  void integer(const std::string& names, const std::string& value, std::int64_t& target, std::int64_t least, const std::string& help);
  // For the tests: neither in the help nor suggested.
  void hidden_integer(const std::string& name, std::int64_t& target, std::int64_t least);
  void number(const std::string& names, const std::string& value, double& target, const std::string& help);
  void size(const std::string& names, std::uint64_t& target, const std::string& help);
  // A file to write, or "-" for standard output.
  void output(const std::string& names, const std::string& value, std::string& target, const std::string& help);

  // Sets the targets. Throws usage_error: "unknown-option", "unexpected-word", "missing-value", "missing-word", "bad-value",
  // "bad-number", "bad-size", "two-on-stdout" (more than one output is "-").
  void parse(const std::vector<std::string>& words);

  // After parse: an output is "-".
  bool writes_stdout() const;
  bool takes_value(const std::string& name) const;  // "-t" or "--threads" is declared and is no flag
  bool has(const std::string& name) const;          // it is declared
  std::string help_text() const;                    // the groups of options, in order
  std::string usage_words() const;                  // "INPUT [OBJECT]"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quern::cli
