// Lines of a text file, gzipped or not.
#pragma once
#include <zlib.h>

#include <memory>
#include <string>

namespace quern::io {

class TextLines {
 public:
  explicit TextLines(const std::string& path);  // input_error "not-found" or "no-permission"
  // The next line without its end (\n or \r\n); false at the end. Throws input_error "truncated" or "corrupt-gzip"; a line of more
  // than 1 MiB is "bad-text".
  bool next(std::string& line);

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  void check_end();
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

bool is_blank(const std::string& line);

}  // namespace quern::io
