#include "io/hdf5/probe.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

constexpr char done = 'd', failed = 'e';

void lower_limit(__rlimit_resource what, rlim_t value) {
  rlimit limit{};
  if (getrlimit(what, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? value : std::min(value, limit.rlim_max);
  if (what == RLIMIT_CPU && (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > value + 1)) limit.rlim_max = value + 1;
  setrlimit(what, &limit);
}

#ifndef QUERN_SANITIZED
std::size_t mapped_bytes() {
  std::size_t pages = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}
#endif

void restrict_child(const ProbeLimits& limits) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGXCPU}) std::signal(signal, SIG_DFL);
  const int nowhere = open("/dev/null", O_WRONLY);  // the C library and sanitizers write of a crash
  for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
  lower_limit(RLIMIT_CORE, 0);
  lower_limit(RLIMIT_CPU, limits.cpu_seconds);
#ifndef QUERN_SANITIZED
  lower_limit(RLIMIT_AS, mapped_bytes() + limits.memory_bytes);
#endif
}

// An error as one message: kind, code, object, text, hint, each ended by a zero byte.
std::string pack(const Error& error) {
  std::string message(1, failed);
  message += static_cast<char>(error.kind());
  for (const std::string& part : {error.code(), error.object(), std::string(error.what()), error.hint()})
    message += part.c_str() + std::string(1, '\0');
  return message;
}

[[noreturn]] void throw_packed(const std::string& message) {
  std::array<std::string, 4> parts;
  std::size_t at = 2;
  for (std::string& part : parts) {
    part = message.c_str() + std::min(at, message.size());
    at += part.size() + 1;
  }
  throw Error(static_cast<ErrorKind>(message.size() > 1 ? message[1] : 1), parts[0], parts[1], parts[2], parts[3]);
}

[[noreturn]] void live_as_child(const std::function<std::string()>& work, const ProbeLimits& limits, int answer_to) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // whoever waits for the answer is gone: so is its use
  restrict_child(limits);
  std::string answer;
  try {
    answer = done + work();
  } catch (const Error& error) {
    answer = pack(error);
  } catch (const std::exception& error) {  // no memory for what the metadata claim
    answer =
        pack(input_error("corrupt-hdf5", "/", std::string("the metadata cannot be read: ") + error.what(), "copy or download it again"));
  }
  std::size_t sent = 0;
  while (sent < answer.size()) {
    const ssize_t count = write(answer_to, answer.data() + sent, answer.size() - sent);
    if (count < 0 && errno != EINTR) break;
    sent += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
  }
  _exit(0);
}

std::string read_answer(int from) {
  std::string answer;
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t count = read(from, piece.data(), piece.size());
    if (count > 0) answer.append(piece.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return answer;
  }
}

struct End {
  int status = 0;
  double cpu_seconds = 0;
};

End wait_for(pid_t child) {
  End end;
  rusage used{};
  while (wait4(child, &end.status, 0, &used) < 0 && errno == EINTR) {
  }
  for (const timeval& time : {used.ru_utime, used.ru_stime})
    end.cpu_seconds += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  return end;
}

std::string cause_of_death(int status) {
  if (!WIFSIGNALED(status)) return "HDF5 gave up on its metadata";
  if (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL) return "reading its metadata does not come to an end";
  return "HDF5 crashes on its metadata (signal " + std::to_string(WTERMSIG(status)) + ")";
}

}  // namespace

ProbeLimits probe_limits(std::size_t file_bytes) {
  ProbeLimits limits;
  const std::size_t by_size = std::min<std::size_t>(file_bytes, limits.memory_bytes) * 8;  // small files have no use for much memory
  limits.memory_bytes = std::min(limits.memory_bytes, (std::size_t{1} << 28) + by_size);
  limits.cpu_seconds += static_cast<unsigned>(std::min<std::size_t>(file_bytes >> 25, 600));  // a second for each 32 MiB
  return limits;
}

std::string run_in_probe(const std::function<std::string()>& work, const ProbeLimits& limits) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0)
    throw resource_error("no-process", "", std::string("no pipe to a child process: ") + std::strerror(errno));
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    live_as_child(work, limits, ends[1]);
  }
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    throw resource_error("no-process", "", std::string("no child process to check the file in: ") + std::strerror(errno),
                         "raise ulimit -u");
  }
  const std::string answer = read_answer(ends[0]);
  close(ends[0]);
  const End end = wait_for(child);
  const int status = end.status;
  if (!answer.empty() && answer[0] == failed) throw_packed(answer);
  if (!answer.empty() && answer[0] == done && WIFEXITED(status)) return answer.substr(1);
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGHUP)) throw Interrupted();
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && end.cpu_seconds < limits.cpu_seconds)
    throw resource_error("no-process", "", "the child process that checks the file was killed, perhaps for its memory",
                         "give the job more memory");
  throw input_error("corrupt-hdf5", "/", cause_of_death(status), "the file is damaged: copy or download it again");
}

}  // namespace quern::io
