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

std::string probe_code(const std::function<void()>& work) {
  return code_of([&] { run_in_probe(work, brief); });
}

TEST(Probe, ReturnsWhenTheWorkIsDone) {
  int here = 0;
  run_in_probe([&] { here = 1; }, brief);
  EXPECT_EQ(here, 0);  // it was done elsewhere
}

TEST(Probe, PassesErrorsOn) {
  try {
    run_in_probe([] { throw Error(ErrorKind::usage, "a-code", "an object", "some text", "a hint"); }, brief);
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
  EXPECT_EQ(probe_code([] { raise(SIGKILL); }), "corrupt-hdf5");
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
  EXPECT_THROW(run_in_probe([] { raise(SIGINT); }, brief), Interrupted);
  EXPECT_THROW(run_in_probe([] { raise(SIGTERM); }, brief), Interrupted);
}

TEST(Probe, PrintsNothing) {
  ::testing::internal::CaptureStderr();
  run_in_probe([] { static_cast<void>(!write(STDERR_FILENO, "noise", 5)); }, brief);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace quern::test
