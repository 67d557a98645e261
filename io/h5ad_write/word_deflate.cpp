#include "io/h5ad_write/word_deflate.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "io/h5ad_write/bit_writer.hpp"
#include "io/h5ad_write/prefix_code.hpp"

namespace quern::io {
namespace {

constexpr std::size_t block_words = 32768;  // that share a code
constexpr std::size_t window_bytes = 32768, most_match_bytes = 258, table_bits = 13, pair_table_bits = 14;
constexpr std::size_t n_literals = 286, n_distances = 30, end_of_block = 256;
constexpr unsigned longest_code = 15, longest_length_code = 7;

// A symbol of RFC 1951 with the bits that follow it.
struct Coded {
  std::uint16_t symbol = 0, extra = 0;
  std::uint8_t extra_bits = 0;
};

constexpr Coded coded_length(std::size_t bytes) {
  if (bytes == most_match_bytes) return {285, 0, 0};
  const auto above = static_cast<unsigned>(bytes - 3);
  if (above < 8) return {static_cast<std::uint16_t>(257 + above), 0, 0};
  const auto bits = static_cast<unsigned>(std::bit_width(above)) - 3;
  return {static_cast<std::uint16_t>(257 + 4 * bits + (above >> bits)), static_cast<std::uint16_t>(above & ((1U << bits) - 1)),
          static_cast<std::uint8_t>(bits)};
}

constexpr Coded coded_distance(std::size_t bytes) {
  const auto above = static_cast<unsigned>(bytes - 1);
  if (above < 4) return {static_cast<std::uint16_t>(above), 0, 0};
  const auto bits = static_cast<unsigned>(std::bit_width(above)) - 2;
  return {static_cast<std::uint16_t>(2 * bits + (above >> bits)), static_cast<std::uint16_t>(above & ((1U << bits) - 1)),
          static_cast<std::uint8_t>(bits)};
}

constexpr unsigned distance_extra_bits(unsigned symbol) { return symbol < 4 ? 0 : symbol / 2 - 1; }

// Of so many words.
template <class Word>
constexpr auto length_codes = [] {
  std::array<Coded, most_match_bytes / sizeof(Word) + 1> codes{};
  for (std::size_t words = 1; words < codes.size(); ++words) codes[words] = coded_length(words * sizeof(Word));
  return codes;
}();

template <class Word>
Word word_at(const std::byte* in, std::size_t index) {
  Word word;
  std::memcpy(&word, in + index * sizeof(Word), sizeof(Word));
  return word;
}

template <class Word>
std::size_t place_of(Word word) {
  return static_cast<std::size_t>((std::uint64_t{word} * 0x9e3779b97f4a7c15U) >> (64 - table_bits));
}
template <class Word>
std::size_t place_of(Word word, Word next) {
  return static_cast<std::size_t>(((std::uint64_t{word} * 0x9e3779b97f4a7c15U) ^ next) * 0xd6e8feb86659fd93U >> (64 - pair_table_bits));
}

// How many of eight words are equal.
template <class Word>
std::size_t equal_of_eight(const std::byte* a, const std::byte* b) {
  unsigned differ = 0;
  for (unsigned i = 0; i < 8; ++i) differ |= unsigned{word_at<Word>(a, i) != word_at<Word>(b, i)} << i;
  return static_cast<std::size_t>(std::countr_zero(differ | 0x100U));
}

template <class Word>
std::size_t match_length(const std::byte* in, std::size_t from, std::size_t at, std::size_t most) {
  std::size_t length = 0;
  for (; length + 8 <= most; length += 8)
    if (const std::size_t equal = equal_of_eight<Word>(in + (from + length) * sizeof(Word), in + (at + length) * sizeof(Word)); equal < 8)
      return length + equal;
  while (length < most && word_at<Word>(in, from + length) == word_at<Word>(in, at + length)) ++length;
  return length;
}

// A match, its distance coded already; or, of length 0, one word literally.
struct Token {
  std::uint8_t words, distance_symbol;
  std::uint16_t distance_extra;
};

}  // namespace

struct WordDeflater::State {
  // Where a word with this hash, and two words with that, were met last; not of all that lie within matches.
  std::array<std::uint32_t, std::size_t{1} << table_bits> last{};
  std::array<std::uint32_t, std::size_t{1} << pair_table_bits> last_pair{};
  std::vector<Token> tokens = std::vector<Token>(block_words);
  std::size_t n_tokens = 0;
  PrefixCode<n_literals> literals;
  PrefixCode<n_distances> distances;

  template <class Word>
  std::size_t candidate(const std::byte* in, std::size_t at, std::size_t end);
  template <class Word>
  void find_matches(const std::byte* in, std::size_t first, std::size_t end);
  void choose_codes();
  std::size_t block_bits() const;
  void write_codes(BitWriter& bits) const;
  template <class Word>
  void write_tokens(BitWriter& bits, const std::byte* in, std::size_t first) const;
  template <class Word>
  bool write_blocks(BitWriter& bits, const std::byte* in, std::size_t n);
};

// Where words like those at `at` were met: two of them, or one; `at` itself: nowhere near.
template <class Word>
std::size_t WordDeflater::State::candidate(const std::byte* in, std::size_t at, std::size_t end) {
  constexpr std::size_t window = window_bytes / sizeof(Word);
  const Word word = word_at<Word>(in, at);
  std::size_t from = std::exchange(last[place_of(word)], static_cast<std::uint32_t>(at));
  if (at + 1 < end) {
    const Word next = word_at<Word>(in, at + 1);
    const std::size_t pair = std::exchange(last_pair[place_of(word, next)], static_cast<std::uint32_t>(at));
    if (pair < at && at - pair <= window && word_at<Word>(in, pair) == word && word_at<Word>(in, pair + 1) == next) from = pair;
  }
  return from < at && at - from <= window ? from : at;
}

template <class Word>
void WordDeflater::State::find_matches(const std::byte* in, std::size_t first, std::size_t end) {
  constexpr std::size_t most_words = most_match_bytes / sizeof(Word);
  n_tokens = 0;
  literals.frequencies.fill(0);
  distances.frequencies.fill(0);
  for (std::size_t at = first; at < end;) {
    const std::size_t from = candidate<Word>(in, at, end);
    const std::size_t length = from == at ? 0 : match_length<Word>(in, from, at, std::min(most_words, end - at));
    if (length == 0) {
      tokens[n_tokens++] = {0, 0, 0};
      for (std::size_t i = 0; i < sizeof(Word); ++i) ++literals.frequencies[std::to_integer<std::size_t>(in[at * sizeof(Word) + i])];
      ++at;
      continue;
    }
    const Coded distance = coded_distance((at - from) * sizeof(Word));
    ++literals.frequencies[length_codes<Word>[length].symbol];
    ++distances.frequencies[distance.symbol];
    tokens[n_tokens++] = {static_cast<std::uint8_t>(length), static_cast<std::uint8_t>(distance.symbol), distance.extra};
    at += length;
    if (length > 1) candidate<Word>(in, at - 1, end);  // leaves a note of the last word
  }
}

// A code has two symbols at least.
void WordDeflater::State::choose_codes() {
  ++literals.frequencies[end_of_block];
  ++literals.frequencies[0];
  ++distances.frequencies[0];
  ++distances.frequencies[1];
  literals.build(longest_code);
  distances.build(longest_code);
}

// The lengths of both codes, themselves in a code; runs of zeros by symbol 18 and 17.
void WordDeflater::State::write_codes(BitWriter& bits) const {
  std::array<std::uint8_t, n_literals + n_distances> lengths;
  std::copy(distances.lengths.begin(), distances.lengths.end(),
            std::copy(literals.lengths.begin(), literals.lengths.end(), lengths.begin()));
  std::array<Coded, n_literals + n_distances> symbols;
  PrefixCode<19> code;
  std::size_t n = 0;
  for (std::size_t i = 0; i < lengths.size();) {
    std::size_t zeros = 0;
    while (i + zeros < lengths.size() && zeros < 138 && lengths[i + zeros] == 0) ++zeros;
    Coded symbol{lengths[i], 0, 0};
    if (zeros >= 11)
      symbol = {18, static_cast<std::uint16_t>(zeros - 11), 7};
    else if (zeros >= 3)
      symbol = {17, static_cast<std::uint16_t>(zeros - 3), 3};
    i += zeros >= 3 ? zeros : 1;
    ++code.frequencies[symbol.symbol];
    symbols[n++] = symbol;
  }
  ++code.frequencies[0];
  ++code.frequencies[18];
  code.build(longest_length_code);
  static constexpr std::array<std::uint8_t, 19> order{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  bits.put(n_literals - 257, 5);
  bits.put(n_distances - 1, 5);
  bits.put(order.size() - 4, 4);
  for (const std::uint8_t symbol : order) bits.put(code.lengths[symbol], 3);
  for (const Coded& symbol : std::span(symbols).first(n)) {
    bits.put(code.codes[symbol.symbol], code.lengths[symbol.symbol]);
    bits.put(symbol.extra, symbol.extra_bits);
  }
}

template <class Word>
void WordDeflater::State::write_tokens(BitWriter& bits, const std::byte* in, std::size_t first) const {
  struct Bits {
    std::uint32_t value;
    unsigned n;
  };
  std::array<Bits, length_codes<Word>.size()> lengths{};
  for (std::size_t words = 1; words < lengths.size(); ++words) {
    const Coded coded = length_codes<Word>[words];
    const unsigned n = literals.lengths[coded.symbol];
    lengths[words] = {literals.codes[coded.symbol] | std::uint32_t{coded.extra} << n, n + coded.extra_bits};
  }
  const std::byte* at = in + first * sizeof(Word);
  for (const Token token : std::span(tokens).first(n_tokens)) {
    if (token.words == 0) {
      for (std::size_t i = 0; i < sizeof(Word); ++i) {
        const auto byte = std::to_integer<std::size_t>(at[i]);
        bits.put(literals.codes[byte], literals.lengths[byte]);
      }
      at += sizeof(Word);
      continue;
    }
    const Bits& length = lengths[token.words];
    const unsigned distance_bits = distances.lengths[token.distance_symbol];
    const std::uint64_t distance = distances.codes[token.distance_symbol] | std::uint64_t{token.distance_extra} << distance_bits;
    bits.put(length.value | distance << length.n, length.n + distance_bits + distance_extra_bits(token.distance_symbol));
    at += token.words * sizeof(Word);
  }
  bits.put(literals.codes[end_of_block], literals.lengths[end_of_block]);
}

// No more than a block takes: its codes, then what occurs, as often as it does.
std::size_t WordDeflater::State::block_bits() const {
  constexpr std::size_t header_bits = 3 + 14 + 19 * 3 + (n_literals + n_distances) * (longest_length_code + 7);
  std::size_t total = header_bits;
  for (std::size_t i = 0; i < n_literals; ++i)
    total += std::size_t{literals.frequencies[i]} * (literals.lengths[i] + (i > end_of_block ? 5U : 0U));
  for (std::size_t i = 0; i < n_distances; ++i) total += std::size_t{distances.frequencies[i]} * (distances.lengths[i] + 13U);
  return total;
}

template <class Word>
bool WordDeflater::State::write_blocks(BitWriter& bits, const std::byte* in, std::size_t n) {
  last.fill(0);
  last_pair.fill(0);
  for (std::size_t first = 0; first == 0 || first < n; first += block_words) {
    const std::size_t end = std::min(n, first + block_words);
    find_matches<Word>(in, first, end);
    choose_codes();
    if (bits.room() < block_bits()) return false;
    bits.put(end == n, 1);
    bits.put(2, 2);  // with codes of its own
    write_codes(bits);
    write_tokens<Word>(bits, in, first);
  }
  return true;
}

WordDeflater::WordDeflater() : state_(std::make_unique<State>()) {}
WordDeflater::~WordDeflater() = default;
std::size_t WordDeflater::memory_bytes() { return sizeof(State) + block_words * sizeof(Token); }

std::size_t WordDeflater::pack(std::span<const std::byte> in, std::size_t width, std::span<std::byte> out) {
  BitWriter bits(out);
  if (bits.room() < 64) return 0;
  bits.put(0x78, 8);  // deflate, a window of 32 KiB
  bits.put(0x01, 8);  // the quickest level
  const bool fits = width == 4 ? state_->write_blocks<std::uint32_t>(bits, in.data(), in.size() / 4)
                               : state_->write_blocks<std::uint64_t>(bits, in.data(), in.size() / 8);
  if (!fits) return 0;
  bits.fill_byte();
  if (bits.room() < 32) return 0;
  const std::uint32_t check = libdeflate_adler32(1, in.data(), in.size());
  for (int shift = 24; shift >= 0; shift -= 8) bits.put(check >> shift & 0xff, 8);
  return bits.finish();
}

}  // namespace quern::io
