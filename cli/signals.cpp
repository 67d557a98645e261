#include "cli/signals.hpp"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "io/part_registry.hpp"

namespace quern::cli {
namespace {

std::atomic<bool> stop_asked{false};
std::atomic<int> asked_by{0};

std::array<char, 64> stopped_verb{};  // "quern qc: "; empty: nothing is said
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void put(const char* text) { [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text)); }

// Async-signal-safe, as all that follows.
void say_that_it_stops(int number) {
  if (stopped_verb.front() == 0) return;
  put(stopped_verb.data());
  put(number == SIGINT ? "stopped by SIGINT" : number == SIGTERM ? "stopped by SIGTERM" : "stopped by SIGHUP");
  put("; unfinished outputs are removed\n");
  stopped_verb.front() = 0;
}

void end_by(int number) {
  io::unlink_registered_parts();
  say_that_it_stops(number);
  signal(number, SIG_DFL);
  raise(number);  // in its own handler: comes when that returns
}

extern "C" void on_stop(int number) {
  if (stop_asked.exchange(true)) end_by(number);
  asked_by = number;
  const itimerval half_a_second{{0, 0}, {0, 500'000}};
  setitimer(ITIMER_REAL, &half_a_second, nullptr);
}

extern "C" void on_time_over(int) { end_by(asked_by); }

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};  // no other signals blocked
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

}  // namespace

void install_signal_handlers() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    sigaction(number, nullptr, &now);
    if (now.sa_handler != SIG_IGN) handle(number, on_stop);  // nohup and background jobs stay as they are
  }
  handle(SIGALRM, on_time_over);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGXFSZ, SIG_IGN);
}

void tell_when_stopped(const std::string& verb) {
  const std::string text = verb.empty() ? "" : verb + ": ";
  stopped_verb.fill(0);
  text.copy(stopped_verb.data(), stopped_verb.size() - 1);
}

const std::atomic<bool>& stop_flag() { return stop_asked; }

int die_by_signal() {
  if (asked_by != 0) end_by(asked_by);
  return 1;
}

}  // namespace quern::cli
