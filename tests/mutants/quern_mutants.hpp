// Switches of the mutated build, included first in every source (-include). QUERN_MUTANT_OFF=N: site N does not act.
// QUERN_MUTANTS_SEEN=FILE: the number of each site whose condition was true is added to the file.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace quern_mutants {

inline constexpr int most_sites = 1 << 20;  // also in sites.py

inline void record(int site) {
  static std::atomic<bool> seen[most_sites] = {};
  static const char* const file = getenv("QUERN_MUTANTS_SEEN");
  if (file == nullptr || seen[site].exchange(true)) return;
  char line[16];
  const int length = std::snprintf(line, sizeof line, "%d\n", site);
  const int descriptor = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return;
  // A test of file size limits must not end here, before the program ignores the signal itself.
  sigset_t too_large, before;
  sigemptyset(&too_large);
  sigaddset(&too_large, SIGXFSZ);
  pthread_sigmask(SIG_BLOCK, &too_large, &before);
  if (::write(descriptor, line, static_cast<size_t>(length)) != length) seen[site] = false;  // a test of full disks: another run may say it
  const timespec at_once{};
  sigtimedwait(&too_large, nullptr, &at_once);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::close(descriptor);
}

inline bool is_off(int site) {
  static const char* const off = getenv("QUERN_MUTANT_OFF");
  static const int number = off ? atoi(off) : -1;
  return site == number;
}

// The condition of a guard; keeps errno, which the guard's body may look at.
template <class Condition>
bool guard(int site, const Condition& condition) {
  if (!static_cast<bool>(condition)) return false;
  const int error = errno;
  record(site);
  errno = error;
  return !is_off(site);
}

// A condition that holds when all is well.
template <class Condition>
bool holds(int site, const Condition& condition) {
  return !guard(site, !static_cast<bool>(condition));
}

// What a throw without a condition throws.
template <class Thrown>
Thrown instead(int site, Thrown thrown) {
  record(site);
  if (is_off(site)) throw std::logic_error("mutant");
  return thrown;
}

// What a call of HDF5 returned, on its way into checked(), made() or done(): switched off, a failure looks like a success to it, and what
// is passed on is an identifier that HDF5 does not know.
template <class Status>
Status returned(int site, Status status) {
  if (status >= 0) return status;
  record(site);
  return is_off(site) ? static_cast<Status>(0x7ffffff) : status;
}

// Whether a step is taken, or an expression is the right one.
inline bool acts(int site) {
  const int error = errno;
  record(site);
  errno = error;
  return !is_off(site);
}

}  // namespace quern_mutants
