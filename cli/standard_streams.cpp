#include "cli/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

namespace quern::cli {
namespace {

bool closed_stdout = false;

}  // namespace

void occupy_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    if (stream == STDOUT_FILENO) closed_stdout = true;
    open("/dev/null", stream == STDERR_FILENO ? O_WRONLY : O_RDONLY);  // gets the lowest number that is free: this one
  }
}

bool stdout_was_closed() { return closed_stdout; }

}  // namespace quern::cli
