// A text on its way to a file, a compressed file (the name ends in .gz), a device or standard output ("-").
// What goes to a device or standard output waits in memory, then in a nameless temporary file, until commit: nobody sees half a table.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/file_info.hpp"
#include "io/safe_file.hpp"

namespace quern::io {

// Buffered; every write is checked. One user at a time.
class TextOutput {
 public:
  // Creates the part (or opens the device) at once, so that a bad target is refused before any work. Throws as SafeFile does.
  TextOutput(const std::string& target, const OutputOptions& options);
  ~TextOutput();
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;

  static constexpr std::size_t buffer_bytes = std::size_t{512} << 10;  // what the object holds, compressor included
  void write(std::string_view text);
  void restart();  // forgets what was written
  // Writes what is buffered and puts the file in place. Throws output_error or ClosedPipe.
  void commit();
  const std::vector<Warning>& warnings() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quern::io
