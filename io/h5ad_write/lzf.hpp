// LZF, as h5py's filter undoes it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quern::io {

// One user at a time. The packed bytes depend on the input alone.
class LzfPacker {
 public:
  static constexpr std::size_t table_bytes = (std::size_t{1} << 16) * sizeof(std::uint32_t);
  // The most `plain_bytes` become: all of it as literals.
  static constexpr std::size_t packed_bound(std::size_t plain_bytes) { return plain_bytes + plain_bytes / 32 + 1; }

  LzfPacker() : last_place_(table_bytes / sizeof(std::uint32_t)) {}
  // `packed` has packed_bound bytes; `plain` less than 4 GiB. Returns the bytes used.
  std::size_t pack(std::span<const std::byte> plain, std::span<std::byte> packed);

 private:
  std::vector<std::uint32_t> last_place_;  // of three bytes, by their hash; 1 more than the place, 0: not seen
};

}  // namespace quern::io
