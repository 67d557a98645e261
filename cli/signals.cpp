#include "cli/signals.hpp"

#include <signal.h>
#include <sys/time.h>

#include "io/part_registry.hpp"

namespace quern::cli {
namespace {

std::atomic<bool> stop_asked{false};
std::atomic<int> asked_by{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void end_by(int number) {
  signal(number, SIG_DFL);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  raise(number);
  pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // a handler runs with its own signal blocked
}

extern "C" void on_stop(int number) {
  if (stop_asked.exchange(true)) {
    io::unlink_registered_parts();
    end_by(number);
  }
  asked_by = number;
  const itimerval half_a_second{{0, 0}, {0, 500'000}};
  setitimer(ITIMER_REAL, &half_a_second, nullptr);
}

extern "C" void on_time_over(int) {
  io::unlink_registered_parts();
  end_by(asked_by);
}

void handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
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

const std::atomic<bool>& stop_flag() { return stop_asked; }

int die_by_signal() {
  if (asked_by != 0) end_by(asked_by);
  return 1;
}

}  // namespace quern::cli
