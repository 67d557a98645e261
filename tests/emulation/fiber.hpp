// Cooperative threads: each has a stack of its own and runs until it switches to another.
#pragma once
#include <cstddef>

namespace quern::emulation {

// Stacks of equal size with a page between them that must not be touched. x86-64 System V only.
class Fibers {
 public:
  explicit Fibers(int count);
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;
  ~Fibers();

  // Fiber i will begin with entry(argument) when first switched to. The entry must never return, nor throw.
  void prepare(int i, void (*entry)(void*), void* argument);
  // Leaves the caller (a fiber, or `outside` for whoever is none) and goes on with another.
  void switch_to(int from, int to);
  static constexpr int outside = -1;

 private:
  void*& top(int i) { return i == outside ? outside_ : tops_[i]; }
  int count_;
  std::byte* memory_;
  void** tops_;  // stack pointers of those that do not run
  void* outside_ = nullptr;
};

}  // namespace quern::emulation
