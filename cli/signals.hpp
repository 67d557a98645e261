// Ctrl-C and its relatives: stop soon, leave nothing half done, die by the signal.
#pragma once
#include <atomic>
#include <string>

namespace quern::cli {

// SIGINT, SIGTERM, SIGHUP: the first sets the flag and gives the program half a second to stop by itself; then, or at a second
// signal, parts of outputs are removed and the process dies by the signal. SIGPIPE and SIGXFSZ are ignored: the write fails instead.
void install_signal_handlers();

// From now on one line on standard error says when this verb ("quern qc") is stopped; empty: nothing does.
void tell_when_stopped(const std::string& verb);

const std::atomic<bool>& stop_flag();  // for the pipeline

// Ends the process by the signal that asked for it (after clean-up by unwinding); returns 1 when none did.
int die_by_signal();

}  // namespace quern::cli
