// The one JSON object a verb leaves behind (--json).
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/core/error.hpp"
#include "io/file_info.hpp"

namespace quern::cli {

using Json = nlohmann::ordered_json;

struct CacheFacts {
  std::int64_t rows = 0, bytes = 0;
};

struct RunFacts {
  int threads = 1, passes = 0;
  std::int64_t chunks = 0, bytes_read = 0, values = 0;
  std::uint64_t budget_bytes = 0, peak_device_bytes = 0, bytes_to_device = 0;
  std::int64_t verified_chunks = 0;
  std::optional<CacheFacts> cache = {};                 // what was kept between passes, where that was tried
  double compute_seconds = 0;                           // of the passes: what nnz_per_second is about
  std::vector<std::pair<std::string, double>> seconds;  // parts of the run, in order; "total" is added first
};

// Every key of the object is always there; null where the verb has nothing to say. Doubles that are NaN or infinite become null.
class Report {
 public:
  explicit Report(const std::string& verb);
  ~Report();
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;

  Json& result();
  void set_backend(const std::string& name, const std::string& device);
  void set_input_path(const std::string& path);
  void set_input(const io::FileInfo& info);
  void set_matrix(const io::MatrixInfo& matrix);
  void add_warning(const std::string& code, const std::string& text);
  void set_limits(int threads, std::uint64_t budget_bytes);  // what a run may take; 0: the verb has no such limit
  void set_run(const RunFacts& facts);
  void set_digest(const std::string& digest);
  void set_error(const Error& error);
  double seconds() const;  // since the program began
  // The text, indented, with a newline at its end; bytes that are not UTF-8 become U+FFFD.
  std::string render();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::uint64_t peak_resident_bytes();  // of this process so far

}  // namespace quern::cli
