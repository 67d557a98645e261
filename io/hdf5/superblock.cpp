#include "io/hdf5/superblock.hpp"

#include <array>
#include <cstring>
#include <fstream>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

constexpr std::array<unsigned char, 8> signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

std::uint64_t little_endian(const unsigned char* bytes, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

// The end of the file by the superblock, a user block included; 0 when it does not say (or not in a form we know).
std::uint64_t recorded_end(const std::array<unsigned char, 96>& block) {
  const unsigned version = block[8];
  const std::size_t size = version < 2 ? block[13] : block[9];
  if (version > 3 || (size != 4 && size != 8)) return 0;
  const std::size_t addresses = version == 0 ? 24 : version == 1 ? 28 : 12;
  // Version 0 and 1: base, free space, end of file. Version 2 and 3: base, extension, end of file.
  const std::uint64_t end = little_endian(block.data() + addresses + 2 * size, size);
  return end == ~std::uint64_t{0} >> (64 - 8 * size) ? 0 : end;  // all ones: undefined
}

}  // namespace

std::int64_t find_superblock(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::int64_t size = file.tellg();
  for (std::int64_t at = 0; at + 8 <= size; at = at == 0 ? 512 : at * 2) {
    std::array<unsigned char, 8> bytes{};
    file.seekg(at);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), 8)) break;
    if (bytes == signature) return at;
  }
  return -1;
}

void check_superblock(const std::string& path) {
  const std::int64_t start = find_superblock(path);
  if (start < 0) throw input_error("not-hdf5", "", "no HDF5 signature in this file");
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::uint64_t>(static_cast<std::int64_t>(file.tellg()));
  std::array<unsigned char, 96> block{};
  file.seekg(start);
  file.read(reinterpret_cast<char*>(block.data()), static_cast<std::streamsize>(block.size()));
  const std::uint64_t end = recorded_end(block);
  const bool has_header = file.gcount() >= 48;  // the shortest superblock
  if (has_header && end <= size) return;
  throw input_error("truncated", "",
                    "the file ends after " + std::to_string(size) + " bytes" +
                        (has_header ? ", its header says " + std::to_string(end) : ", within its header"),
                    "copy or download it again");
}

}  // namespace quern::io
