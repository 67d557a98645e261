// Which rows and columns `quern show` shows.
#pragma once
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/view/matrix_view.hpp"

namespace quern::cli {

// What was asked for on one axis, by number or by name.
struct AxisRequest {
  std::string slice;               // "A:B", or empty
  std::vector<std::string> names;  // or names, separated by commas
  bool asked() const { return !slice.empty() || !names.empty(); }
};

struct AxisChoice {
  io::Ranges ranges;
  bool has_gap = false;  // between ranges[0] and ranges[1] things are left out that nobody asked to leave out
  std::int64_t size() const { return io::total_size(ranges); }
};

// Python's meaning of [A:B] on `size` things: negative ends count from the end, open ends are the first and the last, what is out of range
// is cut. Throws usage_error("bad-slice") naming `option`; steps are refused.
RowRange parse_slice(const std::string& text, std::int64_t size, const std::string& option);

// Everything when nothing was asked for, or its head and tail of `most` together when there is more (0: no such limit).
AxisChoice choose(const AxisRequest& request, NameSource& names, const std::string& slice_option, const std::string& names_option,
                  std::int64_t most);

// Splits at commas.
std::vector<std::string> split_names(const std::vector<std::string>& words);

}  // namespace quern::cli
