#include "cli/option_set.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>

#include "cli/sizes.hpp"
#include "cli/suggest.hpp"
#include "cli/wrap.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

struct Entry {
  std::string group, names, value, help;  // names empty: positional
  bool required = false;
  bool many = false;
  bool hidden = false;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(separator, begin)) != std::string::npos; begin = end + 1)
    parts.push_back(text.substr(begin, end - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

std::string long_name(const std::string& names) { return split(names, ',').back(); }

double parse_number(const std::string& text, const std::string& option) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw usage_error("bad-number", option, fmt::format("\"{}\" is not a number", text));
  return number;
}

}  // namespace

struct OptionSet::State {
  CLI::App app;
  std::string current_group;
  std::vector<Entry> entries;
  struct Output {
    std::string name;
    const std::string* target;
  };
  std::vector<Output> outputs;
  std::vector<std::function<bool()>> positional_given;

  State() {
    app.set_help_flag();
    app.allow_extras();
  }

  CLI::Option* add(const std::string& names, const std::string& value, const std::string& help,
                   const std::function<void(const std::string&, const std::string&)>& set) {
    entries.push_back({current_group, names, value, help});
    const std::string name = long_name(names);
    const auto take = [set, name](const CLI::results_t& results) {
      for (const std::string& result : results) {
        if (result.empty()) throw usage_error("missing-value", name, "needs a value, not an empty word", "an unset variable?");
        set(result, name);
      }
      return true;
    };
    return app.add_option(names, take)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
  void add_positional(const std::string& value, const std::string& help, bool required, bool many,
                      const std::function<void(const CLI::results_t&)>& set) {
    entries.push_back({{}, {}, value, help, required, many});
    CLI::Option* option = app.add_option("word" + std::to_string(positional_given.size()), [set](const CLI::results_t& results) {
      set(results);
      return true;
    });
    if (many) option->expected(-1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    positional_given.push_back([option] { return option->count() > 0; });
  }

  std::vector<std::string> long_names() const {
    std::vector<std::string> words{"--help"};
    for (const Entry& entry : entries)
      if (!entry.names.empty() && !entry.hidden) words.push_back(long_name(entry.names));
    return words;
  }
  void refuse_leftovers() const {
    for (const std::string& word : app.remaining()) {
      if (word == "--") continue;
      if (word.starts_with('-') && word != "-") {
        const std::string name = word.substr(0, word.find('='));
        const std::string near = suggestion(name, long_names());
        throw usage_error("unknown-option", name, "there is no such option", near.empty() ? "--help lists them" : near);
      }
      throw usage_error("unexpected-word", word, "one word too many", hint_for_word(word));
    }
  }
  std::string hint_for_word(const std::string& word) const {
    const auto names_output = [](const Output& output) { return output.name == "--output" && output.target->empty(); };
    const bool may_be_output = std::any_of(outputs.begin(), outputs.end(), names_output);
    return may_be_output ? "the output is named with -o: -o " + word : "a name with spaces needs quotes";
  }
  void require_positionals() const {
    std::size_t place = 0;
    for (const Entry& entry : entries) {
      if (!entry.names.empty()) continue;
      if (entry.required && !positional_given[place]()) throw usage_error("missing-word", entry.value, "is missing");
      ++place;
    }
  }
  void refuse_two_on_stdout() const {
    std::string first;
    for (const Output& output : outputs) {
      if (*output.target != "-") continue;
      if (!first.empty())
        throw usage_error("two-on-stdout", output.name, first + " already writes to standard output", "give one of them a file");
      first = output.name;
    }
  }
};

OptionSet::OptionSet() : state_(std::make_unique<State>()) {}
OptionSet::~OptionSet() = default;

void OptionSet::group(const std::string& title) { state_->current_group = title; }

void OptionSet::positional(const std::string& value, std::string& target, const std::string& help, bool required) {
  state_->add_positional(value, help, required, false, [&target](const CLI::results_t& words) { target = words.front(); });
}
void OptionSet::positionals(const std::string& value, std::vector<std::string>& target, const std::string& help) {
  state_->add_positional(value, help, true, true, [&target](const CLI::results_t& words) { target = words; });
}
void OptionSet::flag(const std::string& names, bool& target, const std::string& help) {
  state_->entries.push_back({state_->current_group, names, {}, help});
  state_->app.add_flag_callback(names, [&target] { target = true; })->disable_flag_override();
}
void OptionSet::text(const std::string& names, const std::string& value, std::string& target, const std::string& help) {
  state_->add(names, value, help, [&target](const std::string& word, const std::string&) { target = word; });
}
void OptionSet::list(const std::string& names, const std::string& value, std::vector<std::string>& target, const std::string& help) {
  state_->add(names, value, help, [&target](const std::string& word, const std::string&) { target.push_back(word); })
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  state_->entries.back().many = true;
}
void OptionSet::choice(const std::string& names, const std::vector<std::string>& words, std::string& target, const std::string& help) {
  const auto set = [&target, words](const std::string& word, const std::string& name) {
    if (std::find(words.begin(), words.end(), word) == words.end())
      throw usage_error("bad-value", name, fmt::format("\"{}\" is none of {}", word, fmt::join(words, ", ")), suggestion(word, words));
    target = word;
  };
  state_->add(names, fmt::format("{}", fmt::join(words, "|")), help, set);
}
void OptionSet::integer(const std::string& names, const std::string& value, std::int64_t& target, std::int64_t least,
                        const std::string& help) {
  state_->add(names, value, help,
              [&target, least](const std::string& word, const std::string& name) { target = parse_integer(word, name, least); });
}
void OptionSet::hidden_integer(const std::string& name, std::int64_t& target, std::int64_t least) {
  integer(name, "N", target, least, {});
  state_->entries.back().hidden = true;
}
void OptionSet::number(const std::string& names, const std::string& value, double& target, const std::string& help) {
  state_->add(names, value, help, [&target](const std::string& word, const std::string& name) { target = parse_number(word, name); });
}
void OptionSet::size(const std::string& names, std::uint64_t& target, const std::string& help) {
  state_->add(names, "SIZE", help, [&target](const std::string& word, const std::string& name) {
    target = parse_size(word, name);
    if (target == 0) throw usage_error("bad-size", name, "must be more than nothing");
  });
}
void OptionSet::output(const std::string& names, const std::string& value, std::string& target, const std::string& help) {
  text(names, value, target, help);
  state_->outputs.push_back({long_name(names), &target});
}

void OptionSet::parse(const std::vector<std::string>& words) {
  State& s = *state_;
  try {
    s.app.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them from the back
  } catch (const CLI::ParseError& mismatch) {                             // of the number of values: nothing else is left to CLI11
    const std::string message = mismatch.what();                          // "--json: 1 required ..."
    throw usage_error("missing-value", message.substr(0, message.find(':')), "needs a value");
  }
  s.refuse_leftovers();
  s.require_positionals();
  s.refuse_two_on_stdout();
}

bool OptionSet::writes_stdout() const {
  return std::any_of(state_->outputs.begin(), state_->outputs.end(), [](const auto& output) { return *output.target == "-"; });
}

namespace {

bool is_called(const Entry& entry, const std::string& name) {
  const auto names = split(entry.names, ',');
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool OptionSet::takes_value(const std::string& name) const {
  const auto& all = state_->entries;
  return std::any_of(all.begin(), all.end(), [&](const Entry& entry) { return is_called(entry, name) && !entry.value.empty(); });
}

bool OptionSet::has(const std::string& name) const {
  const auto& all = state_->entries;
  return std::any_of(all.begin(), all.end(), [&](const Entry& entry) { return is_called(entry, name); });
}

std::string OptionSet::usage_words() const {
  std::string words;
  for (const Entry& entry : state_->entries) {
    if (!entry.names.empty()) continue;
    const std::string word = entry.value + (entry.many ? "..." : "");
    words += entry.required ? word + " " : "[" + word + "] ";
  }
  return words;
}

std::string OptionSet::help_text() const {
  std::string text, last_group;
  for (const Entry& entry : state_->entries) {
    if (entry.hidden) continue;
    if (entry.group != last_group) text += "\n" + entry.group + "\n";
    last_group = entry.group;
    std::string left = entry.names.empty() ? entry.value : entry.names.starts_with("--") ? "    " + entry.names : entry.names;
    if (const auto comma = left.find(','); comma != std::string::npos) left.replace(comma, 1, ", ");
    if (!entry.names.empty() && !entry.value.empty()) left += " " + entry.value;
    text += help_line(left, entry.help + (entry.many && !entry.names.empty() ? " (may be repeated)" : ""));
  }
  return text;
}

}  // namespace quern::cli
