// Writes what the decoder reads: the filters of a stored chunk, applied in the test.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace quern::test {

using Bytes = std::vector<std::byte>;

Bytes deflate(std::span<const std::byte> data, int level = 4);
Bytes zstd(std::span<const std::byte> data, bool with_content_size = true);
Bytes lz4(std::span<const std::byte> data, std::size_t block_bytes);
Bytes blosc(std::span<const std::byte> data, const char* compressor, int shuffle, std::size_t element_bytes);
Bytes lzf(std::span<const std::byte> data);
Bytes shuffle(std::span<const std::byte> data, std::size_t element_bytes);
Bytes with_fletcher32(std::span<const std::byte> data, bool swapped_halves = false);

// Compressible bytes that look like small ascending integers, `size` of them.
Bytes sample_bytes(std::size_t size, std::uint32_t seed = 1);

}  // namespace quern::test
