// Lists of names in files, looked up among those of cells or genes.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"

namespace quern::cli {

// "@FILE" without its @. Throws usage_error("bad-list") naming `option`.
std::string list_file(const std::string& word, const std::string& option);

// What of a list is not there.
struct UnknownNames {
  std::int64_t n_listed = 0;          // different names in the list
  std::int64_t n_unknown = 0;         // of them, those that no row has
  std::vector<std::string> examples;  // a few of them
  std::string first_name;             // of the rows
};

// Sets kept[i] to 0 for every name that is not a line of `file` (as for_each_listed reads them; blanks around a row's name do not
// count either). A name that several rows have
// stands for all of them. Reads the file up to three times; claims 17 bytes a line while it runs. input_error("unreadable-list").
UnknownNames keep_listed(const std::string& file, const std::string& option, NameSource& names, std::span<std::uint8_t> kept,
                         MemoryBudget& budget);

// What keep_listed claims for such lists, rather too much: names are seldom shorter than a few letters.
std::size_t bytes_of_lists(const std::vector<std::string>& files);

// What may be wrong where not one name of a list was found; else empty.
std::string advice_on(const UnknownNames& unknown);

}  // namespace quern::cli
