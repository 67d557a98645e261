#include "io/decode/filter_id.hpp"

#include <utility>

namespace quern::io {

std::string filter_name(int id) {
  static constexpr std::pair<int, const char*> known[] = {{1, "gzip"},    {2, "shuffle"},        {3, "fletcher32"}, {4, "szip"},
                                                          {5, "nbit"},    {6, "scaleoffset"},    {32000, "lzf"},    {32001, "blosc"},
                                                          {32004, "lz4"}, {32008, "bitshuffle"}, {32015, "zstd"},   {32026, "blosc2"}};
  for (const auto& [number, name] : known)
    if (number == id) return name;
  return std::to_string(id);
}

}  // namespace quern::io
