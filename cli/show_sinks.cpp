#include "cli/show_sinks.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/console.hpp"
#include "io/tables/field_text.hpp"

namespace quern::cli {

const char* const left_out = "...";

namespace {

class TsvSink final : public RowSink {
 public:
  explicit TsvSink(WriteText write) : write_(std::move(write)) {}
  void begin(const std::vector<std::string>& header, const std::vector<std::string>&) override {
    n_fields_ = header.size();
    row(header);
  }
  void row(const std::vector<std::string>& fields) override {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) buffer_ += '\t';
      io::append_text(buffer_, fields[i]);
      if (buffer_.size() >= 65536) flush();
    }
    buffer_ += '\n';
  }
  void gap() override { row(std::vector<std::string>(n_fields_, left_out)); }
  void end() override { flush(); }

 private:
  void flush() {
    write_(buffer_);
    buffer_.clear();
  }
  WriteText write_;
  std::string buffer_;
  std::size_t n_fields_ = 0;
};

// Characters of UTF-8 text.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

class AlignedSink final : public RowSink {
 public:
  explicit AlignedSink(WriteText write) : write_(std::move(write)) {}
  void begin(const std::vector<std::string>& header, const std::vector<std::string>&) override { row(header); }
  void row(const std::vector<std::string>& fields) override {
    std::vector<std::string>& kept = rows_.emplace_back();
    std::transform(fields.begin(), fields.end(), std::back_inserter(kept), [](const std::string& field) { return printable(field); });
  }
  void gap() override { rows_.emplace_back(rows_.front().size(), left_out); }
  void end() override {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& fields : rows_)
      for (std::size_t i = 0; i < fields.size(); ++i) widths[i] = std::max(widths[i], width_of(fields[i]));
    std::string text;
    for (const auto& fields : rows_) {
      for (std::size_t i = 0; i < fields.size(); ++i) {
        text += fields[i];
        if (i + 1 < fields.size()) text.append(widths[i] + 2 - width_of(fields[i]), ' ');
      }
      text += '\n';
    }
    write_(text);
  }

 private:
  WriteText write_;
  std::vector<std::vector<std::string>> rows_;
};

class JsonSink final : public RowSink {
 public:
  JsonSink(Json& result, bool triplets, MemoryBudget& budget) : result_(result), triplets_(triplets), budget_(budget) {}

  void begin(const std::vector<std::string>& header, const std::vector<std::string>& kinds) override {
    hold(header);
    hold(kinds);
    kinds_ = kinds;
    if (triplets_) {
      result_["entries"] = Json::array();
      return;
    }
    result_["columns"] = std::vector<std::string>(header.begin() + 1, header.end());
    result_["rows"] = Json::array();
    result_["values"] = Json::array();
  }
  void row(const std::vector<std::string>& fields) override {
    hold(fields);
    Json values = Json::array();
    for (std::size_t i = 1; i < fields.size(); ++i) values.push_back(json_field(fields[i], kinds_[i - 1]));
    if (triplets_) {
      values.insert(values.begin(), fields.front());
      result_["entries"].push_back(std::move(values));
      return;
    }
    result_["rows"].push_back(fields.front());
    result_["values"].push_back(std::move(values));
  }
  void gap() override {}

 private:
  void hold(const std::vector<std::string>& fields) {
    constexpr std::size_t step = std::size_t{1} << 20;
    bytes_ += 128;
    for (const std::string& field : fields) bytes_ += 64 + field.size();
    for (; claims_.size() * step < bytes_;) claims_.push_back(budget_.claim("the JSON object", step));
  }

  Json& result_;
  bool triplets_;
  MemoryBudget& budget_;
  std::vector<std::string> kinds_;
  std::vector<Claim> claims_;
  std::size_t bytes_ = 0;
};

template <class Value>
bool parse_whole(const std::string& text, Value& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool is_text_kind(const std::string& kind) { return kind == "string" || kind == "categorical" || kind == "nullable-string"; }

}  // namespace

Json json_field(const std::string& text, const std::string& kind) {
  if (kind == "string") return text;
  if (text.empty()) return nullptr;
  if (is_text_kind(kind)) return text;
  if (text == "True" || text == "False") return text == "True";
  std::int64_t whole = 0;
  std::uint64_t natural = 0;
  double real = 0;
  if (parse_whole(text, whole)) return whole;
  if (parse_whole(text, natural)) return natural;
  if (parse_whole(text, real)) return std::isfinite(real) ? Json(real) : Json(nullptr);
  return text;
}

std::unique_ptr<RowSink> make_tsv_sink(WriteText write) { return std::make_unique<TsvSink>(std::move(write)); }
std::unique_ptr<RowSink> make_aligned_sink(WriteText write) { return std::make_unique<AlignedSink>(std::move(write)); }
std::unique_ptr<RowSink> make_json_sink(Json& result, bool triplets, MemoryBudget& budget) {
  return std::make_unique<JsonSink>(result, triplets, budget);
}

}  // namespace quern::cli
