// Text on its way to a .gz as members of gzip, one behind the other: every reader sees one stream, and they are packed apart.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

struct libdeflate_compressor;

namespace quern::io {

// One user at a time. The packed bytes depend on the text alone (no name, no time).
class GzipPacker {
 public:
  // resource_error("out-of-memory").
  explicit GzipPacker(int level);
  static std::size_t packed_bound(std::size_t text_bytes);
  static constexpr std::size_t memory_bytes = std::size_t{1} << 20;
  // One member. `packed` has packed_bound bytes; returns those used.
  std::size_t pack(std::string_view text, std::span<char> packed);

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const;
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
};

}  // namespace quern::io
