// Turns what the system says of an output into the program's error.
#pragma once
#include <string>
#include <string_view>

#include "host/core/error.hpp"

namespace quern::io {

// An output error about `path`: "could not DOING: <the system's words>", with a code from `error_number`
// (disk-full, not-writable, no-such-folder, write-failed). Also says how much space is free where the disk is full.
Error write_error(const std::string& path, const std::string& doing, int error_number);

// Thrown when the reader of standard output went away; nothing is to be said about it.
class ClosedPipe : public std::exception {
 public:
  const char* what() const noexcept override { return "the reader of the output went away"; }
};

// Writes all of `bytes`, whatever the number of calls it takes. Throws write_error(path), or ClosedPipe on EPIPE.
void write_all(int descriptor, std::string_view bytes, const std::string& path);

}  // namespace quern::io
