#include "io/h5ad_write/compression.hpp"

#include <charconv>

#include "host/core/error.hpp"
#include "io/decode/filter_id.hpp"
#include "io/h5ad_write/write_handles.hpp"
#include "io/hdf5/filters.hpp"

namespace quern::io {
namespace {

constexpr auto zstd_filter = static_cast<H5Z_filter_t>(FilterId::zstd);

Error bad_compression(const std::string& text) {
  return usage_error("bad-compression", "--compression", "'" + text + "' is not a compression",
                     "use none, gzip:1 to gzip:9, zstd:1 to zstd:19; add ,shuffle to group the bytes of equal weight");
}

int parse_level(const std::string& word, const std::string& text, int highest) {
  int level = 0;
  const char* end = word.data() + word.size();
  const char* stop = std::from_chars(word.data(), end, level).ptr;  // what is no number or too large leaves 0
  if (stop != end || level < 1 || level > highest) throw bad_compression(text);
  return level;
}

}  // namespace

Compression parse_compression(const std::string& text) {
  Compression result;
  std::string name = text;
  if (const auto comma = name.find(','); comma != std::string::npos) {
    if (name.substr(comma + 1) != "shuffle") throw bad_compression(text);
    result.shuffle = true;
    name.resize(comma);
  }
  const auto colon = name.find(':');
  const std::string level = colon == std::string::npos ? "" : name.substr(colon + 1);
  name = name.substr(0, colon);
  if (name == "gzip") {
    result.packing = Packing::gzip;
    result.level = colon == std::string::npos ? 4 : parse_level(level, text, 9);
  } else if (name == "zstd") {
    result.packing = Packing::zstd;
    result.level = colon == std::string::npos ? 3 : parse_level(level, text, 19);
  } else if (name != "none" || colon != std::string::npos) {
    throw bad_compression(text);
  }
  return result;
}

std::string to_string(const Compression& compression) {
  std::string text = "none";
  if (compression.packing == Packing::gzip) text = "gzip:" + std::to_string(compression.level);
  if (compression.packing == Packing::zstd) text = "zstd:" + std::to_string(compression.level);
  return compression.shuffle ? text + ",shuffle" : text;
}

void declare_filters(hid_t creation, const Compression& compression, const std::string& object) {
  if (compression.shuffle) done(H5Pset_shuffle(creation), object, "set the shuffle filter");
  if (compression.packing == Packing::gzip)
    done(H5Pset_deflate(creation, static_cast<unsigned>(compression.level)), object, "set the gzip filter");
  if (compression.packing == Packing::zstd) {
    if (H5Zfilter_avail(zstd_filter) <= 0) register_filters();  // HDF5 creates datasets only with filters it knows
    const unsigned level = static_cast<unsigned>(compression.level);
    done(H5Pset_filter(creation, zstd_filter, H5Z_FLAG_MANDATORY, 1, &level), object, "set the zstd filter");
  }
}

}  // namespace quern::io
