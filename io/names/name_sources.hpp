// Names that are not simply read from the file.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"

namespace quern::io {

// cell_1, cell_2 ...: for files without usable names.
class PositionalNames final : public NameSource {
 public:
  PositionalNames(std::string prefix, std::int64_t size) : prefix_(std::move(prefix)), size_(size) {}
  std::int64_t size() const override { return size_; }
  void read(RowRange range, std::vector<std::string>& names) override;

 private:
  std::string prefix_;
  std::int64_t size_;
};

// The names at the given places (ascending) of another source.
class KeptNames final : public NameSource {
 public:
  KeptNames(std::unique_ptr<NameSource> all, std::vector<std::int64_t> kept) : all_(std::move(all)), kept_(std::move(kept)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(kept_.size()); }
  void read(RowRange range, std::vector<std::string>& names) override;

 private:
  std::unique_ptr<NameSource> all_;
  std::vector<std::int64_t> kept_;
};

// The same text everywhere.
class SameText final : public NameSource {
 public:
  SameText(std::string text, std::int64_t size) : text_(std::move(text)), size_(size) {}
  std::int64_t size() const override { return size_; }
  void read(RowRange range, std::vector<std::string>& names) override { names.assign(static_cast<std::size_t>(range.size()), text_); }
  bool may_crash() const override { return false; }

 private:
  std::string text_;
  std::int64_t size_;
};

// Names of which none occurs twice, as anndata's make_index_unique makes them: "A", "A" become "A", "A-1". All of them are kept.
class UniqueNames final : public NameSource {
 public:
  UniqueNames(NameSource& names, MemoryBudget& budget);
  std::int64_t size() const override { return static_cast<std::int64_t>(names_.size()); }
  void read(RowRange range, std::vector<std::string>& names) override;
  bool may_crash() const override { return false; }

 private:
  void make_unique();
  std::vector<Claim> claims_;
  std::vector<std::string> names_;
};

// Reads names from the start of `range`: all, or fewer where so many would be more text than is read at once (names/text_limit.hpp).
void read_some(NameSource& source, RowRange range, std::vector<std::string>& names);

// Calls `use(name, position)` for the names of `range`, read in parts.
template <class Use>
void for_each_name(NameSource& source, RowRange range, Use use) {
  constexpr std::int64_t step = 16384;
  std::vector<std::string> names;
  for (std::int64_t first = range.first; first < range.last; first += static_cast<std::int64_t>(names.size())) {
    read_some(source, {first, std::min(first + step, range.last)}, names);
    for (std::size_t i = 0; i < names.size(); ++i) use(names[i], first + static_cast<std::int64_t>(i));
  }
}
template <class Use>
void for_each_name(NameSource& source, Use use) {
  for_each_name(source, {0, source.size()}, use);
}

// Bytes that a string takes, itself included.
inline std::size_t bytes_of(const std::string& text) { return sizeof text + (text.capacity() > 15 ? text.capacity() + 17 : 0); }
std::size_t bytes_of(const std::vector<std::string>& texts);

}  // namespace quern::io
