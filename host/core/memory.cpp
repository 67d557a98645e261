#include "host/core/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "host/core/error.hpp"

namespace quern {
namespace {

constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;

class PageableMemory final : public HostMemory {
 public:
  void* allocate(std::size_t bytes) override {
    void* pointer = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pointer == MAP_FAILED)
      throw resource_error("out-of-memory", "--memory", "the system refused " + size_text(bytes) + " of memory", "lower --memory");
    if (bytes >= huge_page_bytes) madvise(pointer, bytes, MADV_HUGEPAGE);  // a hint: fewer page faults
    return pointer;
  }
  void release(void* pointer, std::size_t bytes) noexcept override { munmap(pointer, bytes); }
};

}  // namespace

std::string size_text(std::size_t bytes) {
  const auto in_units = [bytes](int shift) { return std::to_string((bytes + (std::size_t{1} << shift) - 1) >> shift); };
  if (bytes >= std::size_t{1} << 20) return in_units(20) + " MiB";
  return bytes >= std::size_t{1} << 10 ? in_units(10) + " KiB" : in_units(0) + " B";
}

Claim::Claim(Claim&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), row_(other.row_), bytes_(std::exchange(other.bytes_, 0)) {}
Claim& Claim::operator=(Claim&& other) noexcept {
  if (this != &other) {
    release();
    budget_ = std::exchange(other.budget_, nullptr);
    row_ = other.row_;
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}
Claim::~Claim() { release(); }
void Claim::release() noexcept {
  if (budget_) budget_->give_back(row_, bytes_);
  budget_ = nullptr;
  bytes_ = 0;
}

Claim MemoryBudget::claim(const std::string& what, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  if (bytes > limit_ - used_)
    throw resource_error(
        "over-budget", "--memory",
        what + " needs " + size_text(bytes) + "; " + size_text(used_) + " of the budget of " + size_text(limit_) + " are taken",
        "give more --memory: at least " + std::to_string(((used_ + bytes) >> 20) + 1) + "MiB, and room for what comes after");
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  auto row = std::find_if(rows_.begin(), rows_.end(), [&](const Row& r) { return r.what == what; });
  if (row == rows_.end()) row = rows_.insert(rows_.end(), Row{what});
  row->bytes += bytes;
  row->peak_bytes = std::max(row->peak_bytes, row->bytes);
  return {this, static_cast<std::size_t>(row - rows_.begin()), bytes};
}
std::size_t MemoryBudget::available() const {
  const std::scoped_lock lock(mutex_);
  return limit_ - used_;
}
std::size_t MemoryBudget::peak() const {
  const std::scoped_lock lock(mutex_);
  return peak_;
}
std::vector<MemoryBudget::Row> MemoryBudget::table() const {
  const std::scoped_lock lock(mutex_);
  return rows_;
}
void MemoryBudget::give_back(std::size_t row, std::size_t bytes) noexcept {
  const std::scoped_lock lock(mutex_);
  used_ -= bytes;
  rows_[row].bytes -= bytes;
}

HostMemory& pageable_memory() {
  static PageableMemory memory;
  return memory;
}

HostBlock::HostBlock(HostMemory& memory, Claim claim) : memory_(&memory), claim_(std::move(claim)) {
  if (claim_.bytes() > 0) data_ = static_cast<std::byte*>(memory.allocate(claim_.bytes()));
}
HostBlock::HostBlock(HostBlock&& other) noexcept
    : memory_(other.memory_), claim_(std::move(other.claim_)), data_(std::exchange(other.data_, nullptr)) {}
HostBlock& HostBlock::operator=(HostBlock&& other) noexcept {
  if (this != &other) {
    reset();
    memory_ = other.memory_;
    data_ = std::exchange(other.data_, nullptr);
    claim_ = std::move(other.claim_);
  }
  return *this;
}
HostBlock::~HostBlock() { reset(); }
void HostBlock::reset() noexcept {
  if (data_) memory_->release(data_, claim_.bytes());
  data_ = nullptr;
}

}  // namespace quern
