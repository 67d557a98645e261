// The child that may die instead of us.
#include "io/hdf5/probe.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <new>

#include "tests/support/inputs.hpp"

namespace quern::test {
namespace {

using io::run_in_probe;

const io::ProbeLimits brief{1, std::size_t{64} << 20};

// Does `work` in the probe for its effects.
void probe(const std::function<void()>& work) {
  run_in_probe([&] { return work(), std::string(); }, brief);
}

std::string probe_code(const std::function<void()>& work) {
  return code_of([&] { probe(work); });
}

TEST(Probe, ReturnsWhenTheWorkIsDone) {
  int here = 0;
  const std::string result = run_in_probe([&] { return std::to_string(here = 1) + " done"; }, brief);
  EXPECT_EQ(result, "1 done");
  EXPECT_EQ(here, 0);  // it was done elsewhere
}

TEST(Probe, PassesErrorsOn) {
  try {
    probe([] { throw Error(ErrorKind::usage, "a-code", "an object", "some text", "a hint"); });
    FAIL() << "the error was lost";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_EQ(error.code(), "a-code");
    EXPECT_EQ(error.object(), "an object");
    EXPECT_STREQ(error.what(), "some text");
    EXPECT_EQ(error.hint(), "a hint");
  }
}

TEST(Probe, TakesADeathForDamage) {
  EXPECT_EQ(probe_code([] { raise(SIGSEGV); }), "corrupt-hdf5");
  EXPECT_EQ(probe_code([] { std::abort(); }), "corrupt-hdf5");
  EXPECT_EQ(probe_code([] { raise(SIGKILL); }), "no-process");  // not by its limit on processor time: somebody else did it
  EXPECT_EQ(probe_code([] { _exit(1); }), "corrupt-hdf5");
  EXPECT_EQ(probe_code([] { throw std::bad_alloc(); }), "corrupt-hdf5");
}

TEST(Probe, EndsALoop) {
  EXPECT_EQ(probe_code([] {
              volatile unsigned counter = 0;
              for (;;) counter = counter + 1;
            }),
            "corrupt-hdf5");
}

#ifndef QUERN_SANITIZED
TEST(Probe, BoundsMemory) {
  EXPECT_EQ(probe_code([] {
              void* block = mmap(nullptr, std::size_t{1} << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              if (block == MAP_FAILED) throw std::bad_alloc();
            }),
            "corrupt-hdf5");
}
#endif

TEST(Probe, ASignalOfTheUserInterrupts) {
  EXPECT_THROW(probe([] { raise(SIGINT); }), Interrupted);
  EXPECT_THROW(probe([] { raise(SIGTERM); }), Interrupted);
}

TEST(Probe, PrintsNothing) {
  ::testing::internal::CaptureStderr();
  probe([] { static_cast<void>(!write(STDERR_FILENO, "noise", 5)); });
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace quern::test
