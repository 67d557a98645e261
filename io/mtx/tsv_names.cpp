#include <algorithm>
#include <optional>

#include "host/core/error.hpp"
#include "io/mtx/mtx_file.hpp"
#include "io/mtx/text_lines.hpp"
#include "io/names/text_limit.hpp"
#include "io/names/utf8.hpp"

namespace quern::io {
namespace {

std::string field_of(const std::string& line, int column) {
  std::size_t begin = 0;
  for (int i = 0; i < column; ++i) {
    const std::size_t tab = line.find('\t', begin);
    if (tab == std::string::npos) break;
    begin = tab + 1;
  }
  return lenient_utf8(std::string_view(line).substr(begin, line.find('\t', begin) - begin));
}

class TsvColumn final : public NameSource {
 public:
  TsvColumn(std::string path, int column, std::int64_t size) : path_(std::move(path)), column_(column), size_(size) {}
  std::int64_t size() const override { return size_; }
  void read(RowRange range, std::vector<std::string>& names) override {
    if (!lines_ || range.first < position_) {
      lines_.emplace(path_);
      position_ = 0;
    }
    names.resize(static_cast<std::size_t>(range.size()));
    while (position_ < range.first) next_line();
    TextLimit limit(path_, names.size());
    for (std::string& name : names) {
      name = field_of(next_line(), column_);
      limit.add(name.size());
    }
  }

 private:
  const std::string& next_line() {
    do {
      if (!lines_->next(line_))
        throw input_error("bad-shape", path_, "ends after " + std::to_string(position_) + " lines, expected " + std::to_string(size_));
    } while (is_blank(line_));
    ++position_;
    return line_;
  }

  std::string path_, line_;
  int column_;
  std::int64_t size_, position_ = 0;
  std::optional<TextLines> lines_;
};

}  // namespace

std::unique_ptr<NameSource> open_tsv_column(const std::string& path, int column, std::int64_t size) {
  return std::make_unique<TsvColumn>(path, column, size);
}

std::int64_t count_tsv_lines(const std::string& path) {
  TextLines lines(path);
  std::string line;
  std::int64_t count = 0;
  while (lines.next(line)) count += is_blank(line) ? 0 : 1;
  return count;
}

int count_tsv_columns(const std::string& path) {
  TextLines lines(path);
  std::string line;
  while (lines.next(line))
    if (!is_blank(line)) return static_cast<int>(std::count(line.begin(), line.end(), '\t')) + 1;
  return 0;
}

}  // namespace quern::io
