// One budget for the whole run. Whatever grows with the input or the options claims its bytes here before it allocates them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace quern {

class MemoryBudget;

std::string size_text(std::size_t bytes);  // "12 MiB", "640 KiB", "7 B": rounded up

// Bytes claimed from a budget; gives them back when destroyed. Move-only.
class Claim {
 public:
  Claim() = default;
  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) noexcept;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim();
  std::size_t bytes() const { return bytes_; }

 private:
  friend class MemoryBudget;
  Claim(MemoryBudget* budget, std::size_t row, std::size_t bytes) : budget_(budget), row_(row), bytes_(bytes) {}
  void release() noexcept;
  MemoryBudget* budget_ = nullptr;
  std::size_t row_ = 0, bytes_ = 0;
};

// Thread-safe. Outlives its claims.
class MemoryBudget {
 public:
  struct Row {  // one line of the allocation table
    std::string what;
    std::size_t bytes = 0, peak_bytes = 0;
  };

  explicit MemoryBudget(std::size_t limit_bytes) : limit_(limit_bytes) {}

  // Throws resource_error("over-budget") naming what is needed and what --memory would do.
  [[nodiscard]] Claim claim(const std::string& what, std::size_t bytes);
  std::size_t limit() const { return limit_; }
  std::size_t available() const;
  std::size_t peak() const;
  std::vector<Row> table() const;

 private:
  friend class Claim;
  void give_back(std::size_t row, std::size_t bytes) noexcept;
  mutable std::mutex mutex_;
  std::size_t limit_, used_ = 0, peak_ = 0;
  std::vector<Row> rows_;
};

// What is cut from one block begins at a multiple of a cache line.
constexpr std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

// Where the ring's memory comes from; page-locked memory replaces the pageable one when the backend is CUDA.
class HostMemory {
 public:
  virtual ~HostMemory() = default;
  // 64-byte aligned or better, contents unspecified; throws resource_error("out-of-memory").
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* pointer, std::size_t bytes) noexcept = 0;
};

// Pages from the operating system; the process-wide instance.
HostMemory& pageable_memory();

// Owns one block of a HostMemory together with its claim.
class HostBlock {
 public:
  HostBlock() = default;
  HostBlock(HostMemory& memory, Claim claim);  // allocates claim.bytes()
  HostBlock(HostBlock&& other) noexcept;
  HostBlock& operator=(HostBlock&& other) noexcept;
  HostBlock(const HostBlock&) = delete;
  HostBlock& operator=(const HostBlock&) = delete;
  ~HostBlock();
  std::byte* data() const { return data_; }
  std::size_t size() const { return claim_.bytes(); }

 private:
  void reset() noexcept;
  HostMemory* memory_ = nullptr;
  Claim claim_;
  std::byte* data_ = nullptr;
};

}  // namespace quern
