#include "cli/program.hpp"

#include <tbb/global_control.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/help.hpp"
#include "cli/signals.hpp"
#include "cli/standard_streams.hpp"
#include "cli/suggest.hpp"
#include "io/file_errors.hpp"

namespace quern::cli {
namespace {

using Words = std::vector<std::string>;

constexpr const char* standard_output = "standard output";
void print(const std::string& text) { io::write_all(STDOUT_FILENO, text, standard_output); }

bool has_option(const Words& words, std::string_view short_name, std::string_view long_name) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == short_name || word == long_name) return true;
  }
  return false;
}

// The options that verbs have in common.
struct AnyVerb {
  AnyVerb() {
    declare_input(options, values);
    declare_compute(options, values);
    declare_reporting(options, values);
  }
  SharedOptions values;
  OptionSet options;
};

// Words without a verb: an option that no verb has is the likelier mistake.
Error no_verb(const Words& words) {
  try {
    AnyVerb().options.parse(words);
  } catch (const Error& error) {
    if (error.code() == "unknown-option") return error;
  }
  return usage_error("missing-verb", "", "no verb was given", "quern --help lists them");
}

// The place of the verb: the first word that is neither an option nor the value of one.
std::size_t find_verb(const Words& words) {
  if (words.empty() || !words.front().starts_with('-')) return 0;
  const AnyVerb any;
  const OptionSet& shared = any.options;
  std::size_t place = 0;
  while (place < words.size() && words[place].starts_with('-')) place += shared.takes_value(words[place]) ? 2 : 1;
  return place;
}

const Verb& verb_named(const std::string& name) {
  Words names;
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
    names.emplace_back(verb.name);
  }
  const std::string near = suggestion(name, names);
  throw usage_error("unknown-verb", name, "there is no such verb", near.empty() ? "quern --help lists them" : near);
}

// Where --json points, even when the rest cannot be understood.
std::string json_target(const Words& words) {
  constexpr std::string_view name = "--json", joined = "--json=";
  std::string target;
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    if (words[i] == name && i + 1 < words.size()) target = words[i + 1];
    if (words[i].starts_with(joined)) target = words[i].substr(joined.size());
  }
  return target;
}

// As a shell would take it.
std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

class Program {
 public:
  explicit Program(const Verb& verb) : verb_(verb), session_(verb.name), command_(verb.make()) {
    command_->declare(options_, session_.options);
  }

  int run(const Words& words) {
    if (has_option(words, "-h", "--help")) {
      print(verb_help(verb_, options_));
      return 0;
    }
    if (has_option(words, "-V", "--version")) {
      print(version_text());
      return 0;
    }
    try {
      prepare(words);
      command_->run(session_);
      finish();
      return command_->exit_status();
    } catch (Error& error) {
      return fail(error, words);
    } catch (const Interrupted&) {
      throw;
    } catch (const io::ClosedPipe&) {
      throw;
    } catch (const std::bad_alloc&) {
      Error error = resource_error("out-of-memory", "--memory", "the system has no more memory", "lower --memory");
      return fail(error, words);
    } catch (const std::exception& unexpected) {
      Error error(ErrorKind::internal, "internal", "", std::string("internal error: ") + unexpected.what(), "please report it");
      return fail(error, words);
    }
  }

 private:
  void prepare(const Words& words) {
    session_.command = std::string("quern ") + verb_.name;
    for (const std::string& word : words) session_.command += " " + quoted(word);
    parse(words);
    SharedOptions& shared = session_.options;
    session_.stdout_taken = options_.writes_stdout();
    session_.report.set_input_path(shared.input);
    session_.inputs = shared.inputs;
    if (!shared.input.empty()) session_.inputs.push_back(shared.input);
    const bool has_threads = options_.takes_value("--threads"), has_budget = options_.takes_value("--memory");
    resolve(shared, has_threads);
    if (has_threads) threads_.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(shared.threads));
    session_.report.set_limits(has_threads ? shared.threads : 0, has_budget ? shared.memory_bytes : 0);
    if (!shared.log_file.empty()) {
      io::OutputOptions rules = session_.output_options();
      rules.force = true;  // a log is added to, but never an input
      io::resolve_output(shared.log_file, rules);
    }
    tell_when_stopped(shared.quiet ? "" : std::string("quern ") + verb_.name);
    session_.console.configure({shared.quiet, shared.verbose, shared.log_file, shared.progress, shared.color});
    session_.open_log = shared.log_file;
    if (!shared.json.empty()) open_json(shared.json);
  }
  // An option that only other verbs have is no slip of the finger.
  void parse(const Words& words) {
    try {
      options_.parse(words);
    } catch (const Error& error) {
      if (error.code() != "unknown-option" || !AnyVerb().options.has(error.object())) throw;
      const std::string why = error.object() == "--dry-run" || error.object() == "-n" ? "this verb reads only what it shows; " : "";
      throw usage_error(error.code(), error.object(), "there is no such option here", why + "--help lists those that there are");
    }
  }
  void open_json(const std::string& target) {
    json_tried_ = true;
    json_ = session_.open_output(target);
  }
  void finish() {
    if (json_) {
      json_->write(session_.report.render());
      json_->commit();
    }
    session_.console.end_progress();
    if (!session_.stdout_taken && !stdout_was_closed()) print(session_.summary());
  }
  int fail(Error& error, const Words& words) {
    if (stop_flag()) return die_by_signal();  // what broke, broke because of the signal
    const bool about_input = error.kind() == ErrorKind::input || error.object().starts_with('/');
    if (about_input) error.in_file(session_.options.input);
    session_.console.error(error);
    try {
      write_error_report(error, words);
    } catch (const Error& second) {
      const bool said = second.code() == error.code() && second.path() == error.path() && std::string(second.what()) == error.what();
      if (!said) session_.console.error(second);
    }
    return static_cast<int>(error.kind());
  }
  void write_error_report(const Error& error, const Words& words) {
    const std::string target = json_target(words);
    if (!json_tried_ && !target.empty()) {  // it went wrong before its turn came
      session_.options.force = has_option(words, "-f", "--force");
      open_json(target);
    }
    if (!json_) return;
    session_.report.set_error(error);
    json_->restart();
    json_->write(session_.report.render());
    json_->commit();
  }

  const Verb& verb_;
  Session session_;
  OptionSet options_;
  std::unique_ptr<Command> command_;
  std::unique_ptr<io::TextOutput> json_;
  bool json_tried_ = false;
  std::optional<tbb::global_control> threads_;  // without it oneTBB makes no more threads than there are processors, and complains
};

int dispatch(Words words) {
  if (words.empty()) {
    print(main_help());
    return 0;
  }
  const std::size_t place = find_verb(words);
  const Words before(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(std::min(place, words.size())));
  if (has_option(before, "-V", "--version")) {
    print(version_text());
    return 0;
  }
  if (place >= words.size()) {
    if (!has_option(words, "-h", "--help")) throw no_verb(words);
    print(main_help());
    return 0;
  }
  std::string name = words[place];
  words.erase(words.begin() + static_cast<std::ptrdiff_t>(place));
  if (name == "help") {
    if (words.empty()) return dispatch({"--help"});
    name = words.front();
    words = {"--help"};
  }
  return Program(verb_named(name)).run(words);
}

}  // namespace

int run_program(int argc, char** argv) {
  occupy_closed_streams();
  install_signal_handlers();
  Console console("");
  try {
    return dispatch(Words(argv + 1, argv + argc));
  } catch (const Interrupted&) {
    return die_by_signal();
  } catch (const io::ClosedPipe&) {
    return static_cast<int>(ErrorKind::output);
  } catch (const Error& error) {
    console.error(error);
    return static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    console.error(Error(ErrorKind::internal, "internal", "", std::string("internal error: ") + error.what()));
    return static_cast<int>(ErrorKind::internal);
  }
}

}  // namespace quern::cli
