#include "io/h5ad_write/prefix_code.hpp"

#include <algorithm>
#include <numeric>

namespace quern::io {
namespace {

constexpr std::size_t most_symbols = 288;
constexpr unsigned deepest = 32;  // of a tree of so many symbols with counts below 2^32, generously

struct Leaf {
  std::uint32_t frequency;
  std::uint16_t symbol;
};
using Leaves = std::array<Leaf, most_symbols>;
using LengthCounts = std::array<std::uint32_t, deepest + 1>;

// How many leaves Huffman's tree has at each depth. Two queues: leaves in ascending order, and the nodes made, whose weights ascend too.
LengthCounts depths_of(std::span<const Leaf> leaves) {
  struct Node {
    std::uint64_t weight;
    std::uint16_t parent;
  };
  std::array<Node, 2 * most_symbols> nodes;
  const std::size_t n = leaves.size();
  for (std::size_t i = 0; i < n; ++i) nodes[i] = {leaves[i].frequency, 0};
  std::size_t leaf = 0, inner = n;
  for (std::size_t made = n; made < 2 * n - 1; ++made) {
    nodes[made].weight = 0;
    for (int child = 0; child < 2; ++child) {
      const bool takes_leaf = leaf < n && (inner == made || nodes[leaf].weight <= nodes[inner].weight);
      Node& least = nodes[takes_leaf ? leaf++ : inner++];
      nodes[made].weight += least.weight;
      least.parent = static_cast<std::uint16_t>(made);
    }
  }
  std::array<std::uint8_t, 2 * most_symbols> depth;
  depth[2 * n - 2] = 0;
  LengthCounts counts{};
  for (std::size_t i = 2 * n - 2; i-- > 0;) {
    depth[i] = static_cast<std::uint8_t>(depth[nodes[i].parent] + 1);
    if (i < n) ++counts[std::min<unsigned>(depth[i], deepest)];
  }
  return counts;
}

// Leaves that are too deep go to `longest`; then, until the code fits again, one of those goes beside a leaf higher up.
void limit(LengthCounts& counts, unsigned longest) {
  for (unsigned depth = longest + 1; depth <= deepest; ++depth) counts[longest] += counts[depth], counts[depth] = 0;
  std::uint64_t taken = 0;  // of 2^longest
  for (unsigned depth = 1; depth <= longest; ++depth) taken += std::uint64_t{counts[depth]} << (longest - depth);
  for (; taken > std::uint64_t{1} << longest; --taken) {
    --counts[longest];
    unsigned depth = longest - 1;
    while (counts[depth] == 0) --depth;
    --counts[depth];
    counts[depth + 1] += 2;
  }
}

}  // namespace

void choose_code_lengths(std::span<const std::uint32_t> frequencies, unsigned longest, std::span<std::uint8_t> lengths) {
  Leaves leaves;
  std::size_t n = 0;
  for (std::size_t symbol = 0; symbol < frequencies.size(); ++symbol)
    if (frequencies[symbol] > 0) leaves[n++] = {frequencies[symbol], static_cast<std::uint16_t>(symbol)};
  const auto used = std::span(leaves).first(n);
  std::sort(used.begin(), used.end(),
            [](const Leaf& a, const Leaf& b) { return a.frequency != b.frequency ? a.frequency < b.frequency : a.symbol < b.symbol; });
  LengthCounts counts = depths_of(used);
  limit(counts, longest);
  std::fill(lengths.begin(), lengths.end(), std::uint8_t{0});
  std::size_t next = 0;  // the rarest get the longest
  for (unsigned length = longest; length > 0; --length)
    for (std::uint32_t i = 0; i < counts[length]; ++i) lengths[used[next++].symbol] = static_cast<std::uint8_t>(length);
}

void assign_codes(std::span<const std::uint8_t> lengths, std::span<std::uint16_t> codes) {
  std::array<std::uint32_t, 17> next{};
  for (const std::uint8_t length : lengths) ++next[length + 1U];
  next[1] = 0;  // what does not occur
  for (unsigned length = 1; length < next.size(); ++length) next[length] = (next[length] + next[length - 1]) << 1;
  // next[length] is now the first code of `length` bits: the counts stand one place further than in RFC 1951.
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    const unsigned length = lengths[symbol];
    if (length == 0) continue;
    std::uint32_t code = next[length]++, turned = 0;
    for (unsigned bit = 0; bit < length; ++bit, code >>= 1) turned = turned << 1 | (code & 1);
    codes[symbol] = static_cast<std::uint16_t>(turned);
  }
}

}  // namespace quern::io
