#include "io/view/compressed_reader.hpp"

#include <tbb/parallel_invoke.h>

#include <algorithm>
#include <span>

#include "io/decode/convert.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/source/element_stream_types.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t pointers_at_once = 1 << 16;
constexpr std::int64_t passed_over_at_once = 1 << 16;  // elements

class MinorWriter final : public ElementWriter {
 public:
  MinorWriter(const StoredType& type, std::uint32_t* out) : type_(type), out_(out) {}
  std::byte* direct(std::size_t) override { return nullptr; }
  void put(const std::byte* raw, std::size_t n, std::size_t at) override { convert_columns(type_, raw, n, out_ + at); }

 private:
  const StoredType& type_;
  std::uint32_t* out_;
};

class NumberWriter final : public ElementWriter {
 public:
  NumberWriter(const StoredType& type, Number* out) : type_(type), out_(out) {}
  std::byte* direct(std::size_t) override { return nullptr; }
  void put(const std::byte* raw, std::size_t n, std::size_t at) override { read_numbers(type_, raw, n, out_ + at); }

 private:
  const StoredType& type_;
  Number* out_;
};

class NowhereWriter final : public ElementWriter {
 public:
  std::byte* direct(std::size_t) override { return nullptr; }
  void put(const std::byte*, std::size_t, std::size_t) override {}
};

}  // namespace

// One of the two stored arrays, read in ascending ranges.
struct CompressedReader::Array {
  Array(const MatrixInput& input, const std::string& path, std::int64_t n) : stream(RawDataset(input.file, path), input.path, n), used(n) {}

  // Planning: begin, stream.plan_range for every range in order, end.
  void begin_plan(std::int64_t most, std::size_t budget_bytes) {
    stream.begin_plan(1, most, budget_bytes);
    if (stream.inflates_in_fetch()) stream.plan_range({0, std::min(used, passed_over_at_once)});
  }
  void end_plan(MemoryBudget& budget) {
    const ElementStream::Needs needs = stream.end_plan();
    claim = budget.claim("stored chunks of a slice", needs.staging_bytes + needs.shared_bytes + needs.pending_bytes);
    staging.resize(needs.staging_bytes);
    shared.resize(needs.shared_bytes);
    pending = stream.make_pending();
    stream.start(shared);
  }
  // A chunk that is inflated piecewise gives its elements only one after the other: the ones before `range` are passed over.
  void fetch(ElementStream::Range range) {
    if (stream.inflates_in_fetch() && range.first < range.last) {
      const auto length = static_cast<std::int64_t>(stream.dataset().chunk_dims()[0]);
      NowhereWriter nowhere;
      for (std::int64_t at = std::max(position, range.first / length * length); at < range.first;) {
        const ElementStream::Range skipped{at, std::min(range.first, at + passed_over_at_once)};
        stream.fetch(skipped, *pending, staging);
        stream.decode(*pending, staging, nowhere);
        at = skipped.last;
      }
      position = range.last;
    }
    stream.fetch(range, *pending, staging);
  }
  void decode(ElementWriter& writer) { stream.decode(*pending, staging, writer); }

  ElementStream stream;
  std::int64_t used = 0;
  std::unique_ptr<ElementStream::Pending> pending;
  std::vector<std::byte> staging, shared;
  Claim claim;
  std::int64_t position = 0;  // where piecewise inflation stands
};

CompressedReader::CompressedReader(const MatrixInput& input, const std::vector<RowRange>& majors, MemoryBudget& budget)
    : input_(input), budget_(budget), kind_(number_kind(input.matrix.data.type)) {
  const bool by_rows = input.matrix.storage == Storage::csr;
  n_majors_ = by_rows ? input.matrix.rows : input.matrix.cols;
  n_minors_ = by_rows ? input.matrix.cols : input.matrix.rows;
  stored_entries_ = input.matrix.nnz;
  read_pointers(majors);
  // A block takes 12 bytes an entry here, up to 16 more on their way.
  const auto comfortable = static_cast<std::int64_t>(budget.available() / 4 / 32);
  const std::int64_t most = std::clamp<std::int64_t>(comfortable, 1 << 10, 1 << 20);
  cut_blocks(majors, most);
}

CompressedReader::~CompressedReader() = default;

std::int64_t CompressedReader::bytes_read() const { return minors_->stream.bytes_read() + values_->stream.bytes_read(); }

void CompressedReader::read_pointers(const std::vector<RowRange>& majors) {
  std::int64_t n = 0;
  for (const RowRange& range : majors) n += range.size() + 1;
  pointers_claim_ = budget_.claim("row pointers", static_cast<std::size_t>(n) * sizeof(std::int64_t));
  pointers_.reserve(static_cast<std::size_t>(n));
  std::vector<ElementStream::Range> pieces;
  for (const RowRange& range : majors)
    for (std::int64_t first = range.first; first <= range.last; first += pointers_at_once)
      pieces.push_back({first, std::min(range.last + 1, first + pointers_at_once)});
  Array array(input_, input_.matrix.indptr.path, n_majors_ + 1);
  if (array.stream.dataset().type().kind == StoredKind::real)
    throw input_error("bad-type", input_.matrix.indptr.path, "holds reals, expected integers");
  array.begin_plan(pointers_at_once, budget_.available());
  for (const ElementStream::Range& piece : pieces) array.stream.plan_range(piece);
  array.end_plan(budget_);
  std::vector<Number> numbers;
  for (const ElementStream::Range& piece : pieces) {
    numbers.resize(static_cast<std::size_t>(piece.last - piece.first));
    NumberWriter writer(array.stream.dataset().type(), numbers.data());
    array.fetch(piece);
    array.decode(writer);
    for (const Number number : numbers) pointers_.push_back(number.whole);
  }
}

void CompressedReader::cut_blocks(const std::vector<RowRange>& majors, std::int64_t most_entries) {
  const std::string& where = input_.matrix.indptr.path;
  std::size_t at = 0;
  std::int64_t largest = 0;
  const std::int64_t n_majors = input_.matrix.storage == Storage::csc ? input_.matrix.cols : input_.matrix.rows;
  for (const RowRange& range : majors) {
    if (range.first == 0 && pointers_[at] != 0)
      throw input_error("bad-indptr", where, "starts at " + std::to_string(pointers_[at]) + ", expected 0");
    for (std::int64_t major = range.first; major < range.last;) {
      Part part{{major, major}, at};
      const std::int64_t begin = pointers_[at];
      do {
        if (pointers_[at + 1] < pointers_[at])
          throw input_error("bad-indptr", where, "decreases at row " + std::to_string(part.majors.last));
        ++at;
        ++part.majors.last;
      } while (part.majors.last < range.last && pointers_[at + 1] - begin <= most_entries && part.majors.size() < most_entries);
      if (begin < 0) throw input_error("bad-indptr", where, "is " + std::to_string(begin) + " at row " + std::to_string(major));
      const bool is_end = part.majors.last == n_majors;
      if (pointers_[at] > stored_entries_ || (is_end && pointers_[at] != stored_entries_))
        throw input_error("bad-indptr", where,
                          (is_end ? "ends at " : "reaches ") + std::to_string(pointers_[at]) + ", but " + std::to_string(stored_entries_) +
                              " entries are stored");
      largest = std::max(largest, pointers_[at] - begin);
      n_entries_ += pointers_[at] - begin;
      major = part.majors.last;
      parts_.push_back(part);
    }
    ++at;
  }
  block_claim_ = budget_.claim("entries of a slice", static_cast<std::size_t>(largest) * (sizeof(std::uint32_t) + sizeof(Number)));
  minors_ = std::make_unique<Array>(input_, input_.matrix.indices.path, stored_entries_);
  values_ = std::make_unique<Array>(input_, input_.matrix.data.path, stored_entries_);
  for (Array* array : {minors_.get(), values_.get()}) {
    array->begin_plan(std::max<std::int64_t>(largest, 1), budget_.available() / 2);
    for (const Part& part : parts_)
      array->stream.plan_range({pointers_[part.at], pointers_[part.at + static_cast<std::size_t>(part.majors.size())]});
    array->end_plan(budget_);
  }
}

bool CompressedReader::next(MajorBlock& block) {
  if (next_part_ == parts_.size()) return false;
  const Part& part = parts_[next_part_++];
  const auto n = static_cast<std::size_t>(part.majors.size());
  block.first = part.majors.first;
  block.offsets.resize(n + 1);
  for (std::size_t m = 0; m <= n; ++m) block.offsets[m] = static_cast<std::size_t>(pointers_[part.at + m] - pointers_[part.at]);
  fill({pointers_[part.at], pointers_[part.at + n]}, block);
  check_minors(block, pointers_[part.at]);
  return true;
}

void CompressedReader::fill(const ElementStream::Range& entries, MajorBlock& block) {
  block.minors.resize(block.offsets.back());
  block.values.resize(block.offsets.back());
  if (minors_->stream.inflates_in_fetch() && values_->stream.inflates_in_fetch()) {
    tbb::parallel_invoke([&] { minors_->fetch(entries); }, [&] { values_->fetch(entries); });
  } else {
    minors_->fetch(entries);
    values_->fetch(entries);
  }
  MinorWriter minor_writer(minors_->stream.dataset().type(), block.minors.data());
  NumberWriter number_writer(values_->stream.dataset().type(), block.values.data());
  tbb::parallel_invoke([&] { minors_->decode(minor_writer); }, [&] { values_->decode(number_writer); });
}

void CompressedReader::check_minors(const MajorBlock& block, std::int64_t first_entry) const {
  const auto bad = std::find_if(block.minors.begin(), block.minors.end(), [&](std::uint32_t minor) { return minor >= n_minors_; });
  if (bad == block.minors.end()) return;
  const bool rows = input_.matrix.storage == Storage::csr;
  throw input_error("bad-index", input_.matrix.indices.path,
                    "entry " + std::to_string(first_entry + (bad - block.minors.begin())) + " is negative or not below the number of " +
                        (rows ? "columns, " : "rows, ") + std::to_string(n_minors_),
                    "the file is damaged or its shape is wrong");
}

}  // namespace quern::io
