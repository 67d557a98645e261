#include "io/mtx/mtx_out.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "io/file_errors.hpp"
#include "io/names/name_sources.hpp"

namespace quern::io {
namespace {

constexpr std::size_t entries_in_a_block = 65536, longest_line = 64, text_in_a_block = std::size_t{1} << 20;

std::size_t bytes_of_block() {
  const std::size_t text = entries_in_a_block * longest_line;
  return entries_in_a_block * (sizeof(std::int64_t) + sizeof(std::uint32_t) + sizeof(double)) + text + GzipPacker::packed_bound(text) +
         GzipPacker::memory_bytes;
}

std::size_t n_blocks(const MtxOutOptions& options, const MemoryBudget& budget) {
  return std::clamp<std::size_t>(budget.available() / 4 / bytes_of_block(), 1, 2 * static_cast<std::size_t>(options.threads));
}

bool is_whole(double value) {
  constexpr double most = 9007199254740992;  // 2^53: digits alone say it
  return value == std::trunc(value) && std::abs(value) <= most;
}

template <class T>
char* put(char* at, char* end, T number) {
  return std::to_chars(at, end, number).ptr;
}

}  // namespace

MtxMatrixOut::MtxMatrixOut(int descriptor, const std::string& path, const MatrixShape& shape, const MtxOutOptions& options,
                           MemoryBudget& budget)
    : descriptor_(descriptor), path_(path), shape_(shape), options_(options) {
  if (shape.nnz < 0) return;
  const std::size_t n = n_blocks(options, budget);
  claim_ = budget.claim("text of the matrix on its way out", n * bytes_of_block());
  blocks_.resize(n);
  for (Block& block : blocks_) {
    block.rows.reserve(entries_in_a_block);
    block.columns.reserve(entries_in_a_block);
    block.values.reserve(entries_in_a_block);
    block.packed.resize(GzipPacker::packed_bound(entries_in_a_block * longest_line));
    block.packer = std::make_unique<GzipPacker>(options.level);
  }
  write_head();
}

std::size_t MtxMatrixOut::memory_bytes(const MtxOutOptions& options, const MemoryBudget& budget) {
  return n_blocks(options, budget) * bytes_of_block();
}

void MtxMatrixOut::write_head() {
  const std::string head = std::string("%%MatrixMarket matrix coordinate ") + (options_.whole ? "integer" : "real") +
                           " general\n%metadata_json: {\"software_version\": \"" + options_.writer + "\", \"format_version\": 2}\n" +
                           std::to_string(shape_.n_cols) + " " + std::to_string(shape_.n_rows) + " " + std::to_string(shape_.nnz) + "\n";
  Block& block = blocks_.front();
  write_all(descriptor_, {block.packed.data(), block.packer->pack(head, block.packed)}, path_);
}

void MtxMatrixOut::append(const ChunkBuffer& chunk) {
  const auto value_at = [&](std::size_t i) {
    return options_.value_type == ValueType::f32 ? static_cast<double>(chunk.values_as<float>()[i]) : chunk.values_as<double>()[i];
  };
  for (std::int64_t r = 0; r < chunk.rows.size(); ++r)
    for (auto i = static_cast<std::size_t>(chunk.offsets[r]); i < static_cast<std::size_t>(chunk.offsets[r + 1]); ++i) {
      const double value = value_at(i);
      if (options_.whole && !is_whole(value)) throw NotWholeNumbers();
      ++n_entries_;
      if (shape_.nnz < 0) continue;
      if (blocks_[filled_].rows.size() == entries_in_a_block && ++filled_ == blocks_.size()) flush();
      Block& block = blocks_[filled_];
      block.rows.push_back(chunk.rows.first + r);
      block.columns.push_back(chunk.columns[i]);
      block.values.push_back(value);
    }
}

void MtxMatrixOut::format(Block& block) const {
  block.text.resize(block.rows.size() * longest_line);
  char* at = block.text.data();
  for (std::size_t i = 0; i < block.rows.size(); ++i) {
    char* const end = at + longest_line;
    at = put(at, end, block.columns[i] + std::uint64_t{1});
    *at++ = ' ';
    at = put(at, end, block.rows[i] + 1);
    *at++ = ' ';
    if (std::isnan(block.values[i]))
      at = std::copy_n("nan", 3, at);
    else if (options_.whole)
      at = put(at, end, static_cast<std::int64_t>(block.values[i]));
    else if (options_.value_type == ValueType::f32)
      at = put(at, end, static_cast<float>(block.values[i]));
    else
      at = put(at, end, block.values[i]);
    *at++ = '\n';
  }
  block.text.resize(static_cast<std::size_t>(at - block.text.data()));
}

void MtxMatrixOut::flush() {
  // Isolated: who waits here for the last block must not begin other work of the same pipeline meanwhile.
  tbb::this_task_arena::isolate([&] {
    tbb::parallel_for(std::size_t{0}, filled_, [&](std::size_t i) {
      Block& block = blocks_[i];
      format(block);
      block.packed_bytes = block.packer->pack(block.text, block.packed);
    });
  });
  for (std::size_t i = 0; i < filled_; ++i) {
    Block& block = blocks_[i];
    write_all(descriptor_, {block.packed.data(), block.packed_bytes}, path_);
    block.rows.clear();
    block.columns.clear();
    block.values.clear();
  }
  filled_ = 0;
}

bool MtxMatrixOut::finish() {
  if (shape_.nnz < 0) return false;
  if (filled_ < blocks_.size() && !blocks_[filled_].rows.empty()) ++filled_;
  flush();
  return n_entries_ == shape_.nnz;
}

void write_tsv(int descriptor, const std::string& path, std::span<NameSource* const> columns, int level, MemoryBudget& budget) {
  const std::size_t most_packed = GzipPacker::packed_bound(2 * text_in_a_block);
  const Claim claim = budget.claim("text of the matrix on its way out", 2 * text_in_a_block + most_packed + GzipPacker::memory_bytes);
  GzipPacker packer(level);
  std::string text;
  std::vector<char> packed(most_packed);
  const auto flush = [&] {
    packed.resize(std::max(packed.size(), GzipPacker::packed_bound(text.size())));
    write_all(descriptor, {packed.data(), packer.pack(text, packed)}, path);
    text.clear();
  };
  std::vector<std::vector<std::string>> parts(columns.size());
  constexpr std::int64_t rows_at_once = 4096;
  const std::int64_t n_rows = columns.front()->size();
  for (std::int64_t first = 0; first < n_rows; first += rows_at_once) {
    const RowRange range{first, std::min(first + rows_at_once, n_rows)};
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c]->read(range, parts[c]);
    for (std::size_t r = 0; r < static_cast<std::size_t>(range.size()); ++r) {
      for (std::size_t c = 0; c < columns.size(); ++c) {
        if (parts[c][r].find_first_of("\t\r\n") != std::string::npos)
          throw input_error("unfit-name", path, "'" + parts[c][r] + "' holds a tab or the end of a line, which this format cannot hold");
        text += parts[c][r];
        text += c + 1 < columns.size() ? '\t' : '\n';
      }
      if (text.size() >= text_in_a_block) flush();
    }
  }
  if (!text.empty() || n_rows == 0) flush();
}

}  // namespace quern::io
