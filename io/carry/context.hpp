// What all of a carry-over shares.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/core/memory.hpp"
#include "io/carry/chunk_visit.hpp"
#include "io/carry/selection.hpp"
#include "io/file_info.hpp"
#include "io/h5ad_write/compression.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

struct CarryContext {
  const Hdf5File& from;
  MemoryBudget& budget;
  // Everything is looked at and no values are written: for the probe. The groups and attributes are made all the same.
  bool survey = false;
  int threads = 1;
  VisitChunks visit = {};  // how matrices that are cut are read
  TakeSource take_source = {};
  std::optional<Compression> packing = {};  // of matrices that are cut; none: gzip:1 where the source is packed
  bool wide_values = false;                 // they are read as doubles, whatever their type
  std::string tmp_dir = {};                 // for matrices by columns that do not fit the budget
  const std::atomic<bool>* stop = nullptr;
  std::function<void()> pause = {};  // called now and then; may throw Interrupted
  std::int64_t bytes = 0;            // of the values met, as they are stored
  std::int64_t largest_piece = 0;    // in a survey: of what is copied at once
  std::vector<Warning> warnings = {};
  std::map<std::string, std::pair<std::int64_t, Selection>> categories = {};  // of obs and var: how many there were, which are left
  std::set<std::string> used_categories = {};                                 // keys of uns that old columns took their categories from

  void warn(const std::string& code, const std::string& text) { warnings.push_back({code, text}); }
  void rest() const {
    if (pause) pause();
  }
};

constexpr std::size_t carry_piece_bytes = std::size_t{1} << 20;  // of what is read and written at once

}  // namespace quern::io
