#include "io/h5ad_write/compression.hpp"

#include <array>
#include <charconv>
#include <span>

#include "host/core/error.hpp"
#include "io/decode/filter_id.hpp"
#include "io/h5ad_write/write_handles.hpp"
#include "io/hdf5/filters.hpp"

namespace quern::io {
namespace {

Error bad_compression(const std::string& text) {
  return usage_error("bad-compression", "--compression", "'" + text + "' is not a compression",
                     "use none, gzip:1 to gzip:9, lzf, zstd:1 to zstd:19 or blosc:1 to blosc:9; to all but blosc add ,shuffle to group the "
                     "bytes of equal weight");
}

int parse_level(const std::string& word, const std::string& text, int highest) {
  int level = 0;
  const char* end = word.data() + word.size();
  const char* stop = std::from_chars(word.data(), end, level).ptr;  // what is no number or too large leaves 0
  if (stop != end || level < 1 || level > highest) throw bad_compression(text);
  return level;
}

// The number after the colon, or `usual` where there is none.
int level_of(const std::string& name, const std::string& text, int usual, int highest) {
  const auto colon = name.find(':');
  return colon == std::string::npos ? usual : parse_level(name.substr(colon + 1), text, highest);
}

void declare_own_filter(hid_t creation, FilterId id, unsigned flags, std::span<const unsigned> parameters, const std::string& object) {
  const auto number = static_cast<H5Z_filter_t>(id);
  if (H5Zfilter_avail(number) <= 0) register_filters();  // HDF5 creates datasets only with filters it knows
  done(H5Pset_filter(creation, number, flags, parameters.size(), parameters.data()), object,
       ("set the " + filter_name(number) + " filter").c_str());
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
  const std::string word = name.substr(0, name.find(':'));
  if (word == "gzip") {
    result.packing = Packing::gzip;
    result.level = level_of(name, text, 4, 9);
  } else if (word == "zstd") {
    result.packing = Packing::zstd;
    result.level = level_of(name, text, 3, 19);
  } else if (word == "blosc" && !result.shuffle) {
    result.packing = Packing::blosc;
    result.level = level_of(name, text, 5, 9);
  } else if (name == "lzf") {
    result.packing = Packing::lzf;
  } else if (name != "none") {
    throw bad_compression(text);
  }
  return result;
}

std::string to_string(const Compression& compression) {
  std::string text = "none";
  if (compression.packing == Packing::gzip) text = "gzip:" + std::to_string(compression.level);
  if (compression.packing == Packing::lzf) text = "lzf";
  if (compression.packing == Packing::zstd) text = "zstd:" + std::to_string(compression.level);
  if (compression.packing == Packing::blosc) text = "blosc:" + std::to_string(compression.level);
  return compression.shuffle ? text + ",shuffle" : text;
}

std::string needs_of_readers(const Compression& compression) {
  if (compression.packing == Packing::lzf) return "h5py reads lzf; R needs the package rhdf5filters, other programs a plugin of HDF5";
  if (compression.packing != Packing::zstd && compression.packing != Packing::blosc) return "";
  return "to read " + to_string(compression) +
         " Python has to import hdf5plugin first, R needs the package rhdf5filters, other programs a plugin of HDF5";
}

// The parameters of lzf and blosc are those that h5py's and PyTables' own filters write.
void declare_filters(hid_t creation, const Compression& compression, std::size_t element_bytes, std::size_t chunk_bytes,
                     const std::string& object) {
  if (compression.shuffle) done(H5Pset_shuffle(creation), object, "set the shuffle filter");
  const auto level = static_cast<unsigned>(compression.level), bytes = static_cast<unsigned>(chunk_bytes);
  if (compression.packing == Packing::gzip) done(H5Pset_deflate(creation, level), object, "set the gzip filter");
  if (compression.packing == Packing::lzf)
    declare_own_filter(creation, FilterId::lzf, H5Z_FLAG_OPTIONAL, std::array{4U, 0x0105U, bytes}, object);
  if (compression.packing == Packing::zstd) declare_own_filter(creation, FilterId::zstd, H5Z_FLAG_MANDATORY, std::array{level}, object);
  if (compression.packing == Packing::blosc) {
    constexpr unsigned revision = 2, format = 2, byte_shuffle = 1, lz4 = 1;
    const std::array parameters{revision, format, static_cast<unsigned>(element_bytes), bytes, level, byte_shuffle, lz4};
    declare_own_filter(creation, FilterId::blosc, H5Z_FLAG_MANDATORY, parameters, object);
  }
}

}  // namespace quern::io
