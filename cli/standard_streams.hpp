// Standard input, output and error as the program finds them.
#pragma once

namespace quern::cli {

// Before anything is opened: takes the places of streams that the caller closed, so that no file of ours comes to be standard output or
// error and receives what is said there. What was closed reads as empty; what is written to a closed standard output fails, and to a
// closed standard error is lost.
void occupy_closed_streams();

bool stdout_was_closed();

}  // namespace quern::cli
