#include "cli/option_set.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/shared_options.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Verb : testing::Test {
  Verb() {
    set.positional("INPUT", input, "what is read");
    set.group("Numbers");
    set.integer("-n,--number", "N", number, 1, "a number");
    set.number("--ratio", "R", ratio, "a real number");
    set.size("-m,--memory", bytes, "a size");
    set.choice("--color", {"auto", "always"}, colour, "a choice");
    set.list("--name", "NAME", names, "names");
    set.flag("-f,--force", force, "a flag");
    set.output("--json", "PATH|-", json, "an output");
    set.output("--table", "PATH|-", table, "an output");
  }
  std::string code_of(const std::vector<std::string>& words) {
    try {
      set.parse(words);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::usage);
      return error.code() + " " + error.object();
    }
    return "none";
  }
  std::string input, colour = "auto", json, table;
  std::int64_t number = 7;
  double ratio = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> names;
  bool force = false;
  OptionSet set;
};

TEST_F(Verb, TakesOptionsAnywhereAndTheLastOneCounts) {
  set.parse({"-n", "3", "file", "--memory=1K", "--name", "a", "--number", "5", "--name", "b", "-f", "--json", "-"});
  EXPECT_EQ(input, "file");
  EXPECT_EQ(number, 5);
  EXPECT_EQ(bytes, 1024U);
  EXPECT_THAT(names, ElementsAre("a", "b"));
  EXPECT_TRUE(force);
  EXPECT_TRUE(set.writes_stdout());
}

TEST_F(Verb, AListTakesOneWordEachTime) {
  set.parse({"--name", "a", "file"});
  EXPECT_THAT(names, ElementsAre("a"));
  EXPECT_EQ(input, "file");
}

TEST_F(Verb, SaysWhatIsWrong) {
  EXPECT_EQ(code_of({"file", "--forse"}), "unknown-option --forse");
  EXPECT_EQ(code_of({"file", "--forc"}), "unknown-option --forc");  // no abbreviations
  EXPECT_EQ(code_of({"file", "other"}), "unexpected-word other");
  EXPECT_EQ(code_of({"--force"}), "missing-word INPUT");
  EXPECT_EQ(code_of({"file", "--number"}), "missing-value --number");
  EXPECT_EQ(code_of({"file", "--number", "0"}), "bad-number --number");
  EXPECT_EQ(code_of({"file", "--ratio", "1.5x"}), "bad-number --ratio");
  EXPECT_EQ(code_of({"file", "--ratio", "1e999"}), "bad-number --ratio");
  EXPECT_EQ(code_of({"file", "--memory", "lots"}), "bad-size --memory");
  EXPECT_EQ(code_of({"file", "--memory", "0"}), "bad-size --memory");
  EXPECT_EQ(code_of({"file", "--color", "alway"}), "bad-value --color");
}

TEST_F(Verb, OneOutputAtMostOnStandardOutput) { EXPECT_EQ(code_of({"file", "--table", "-", "--json", "-"}), "two-on-stdout --table"); }

TEST_F(Verb, WordsAfterTwoDashesAreNoOptions) {
  set.parse({"--", "--force"});
  EXPECT_EQ(input, "--force");
  EXPECT_FALSE(force);
}

TEST_F(Verb, TellsItself) {
  EXPECT_TRUE(set.takes_value("-n"));
  EXPECT_TRUE(set.takes_value("--json"));
  EXPECT_FALSE(set.takes_value("--force"));
  EXPECT_FALSE(set.takes_value("--absent"));
  EXPECT_EQ(set.usage_words(), "INPUT ");
  EXPECT_THAT(set.help_text(), HasSubstr("\nNumbers\n  -n, --number N"));
  EXPECT_THAT(set.help_text(), HasSubstr("names (may be repeated)"));
}

TEST(SharedOptions, ResolvesThreads) {
  SharedOptions options;
  unsetenv("QUERN_THREADS");
  options.threads_text = "3";
  resolve(options, true);
  EXPECT_EQ(options.threads, 3);
  EXPECT_GT(options.memory_bytes, 0U);
  setenv("QUERN_THREADS", "5", 1);
  resolve(options, true);
  EXPECT_EQ(options.threads, 3);  // the option is stronger
  options.threads_text = "auto";
  resolve(options, true);
  EXPECT_EQ(options.threads, 5);
  options.threads_text = "4097";
  EXPECT_THROW(resolve(options, true), Error);
  options.threads_text = "auto";
  setenv("QUERN_THREADS", "many", 1);
  EXPECT_THROW(resolve(options, true), Error);
  unsetenv("QUERN_THREADS");
}

TEST(SharedOptions, ChecksDeviceMemoryAndStandardInput) {
  SharedOptions options;
  for (const char* good : {"80%", "20GiB", "100%"}) {
    options.gpu_memory = good;
    EXPECT_NO_THROW(resolve(options, true)) << good;
  }
  for (const char* bad : {"0%", "101%", "x%", "some", "0", "0GiB"}) {
    options.gpu_memory = bad;
    EXPECT_THROW(resolve(options, true), Error) << bad;
  }
  options.gpu_memory = "80%";
  for (const char* stream : {"-", "/dev/stdin"}) {
    options.input = stream;
    EXPECT_THROW(resolve(options, true), Error);
  }
}

TEST(SeveralInputs, StandBeforeAndAfterOptions) {
  OptionSet set;
  std::vector<std::string> inputs;
  bool deep = false;
  set.positionals("INPUT", inputs, "what is read");
  set.flag("--deep", deep, "a flag");
  set.parse({"a", "--deep", "b", "c"});
  EXPECT_THAT(inputs, ElementsAre("a", "b", "c"));
  EXPECT_TRUE(deep);
  EXPECT_THAT(set.usage_words(), HasSubstr("INPUT..."));
}

}  // namespace
}  // namespace quern::cli
