#include "tests/emulation/fiber.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if !defined(__x86_64__)
#error "the emulation switches stacks with x86-64 instructions; build the tests of kernels there, or set QUERN_EMULATION=OFF"
#endif

// Saves what a called function must keep, exchanges the stack pointer, and restores.
extern "C" void quern_switch_stack(void** save, void* next);
asm(R"(
.text
.type quern_switch_stack, @function
quern_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size quern_switch_stack, .-quern_switch_stack
.type quern_enter_fiber, @function
quern_enter_fiber:
  movq %rbx, %rdi
  call *%r12
  ud2
.size quern_enter_fiber, .-quern_enter_fiber
)");
extern "C" void quern_enter_fiber();

namespace quern::emulation {
namespace {

constexpr std::size_t guard_bytes = 4096, stack_bytes = 60 * 1024, pitch = guard_bytes + stack_bytes;

}  // namespace

Fibers::Fibers(int count) : count_(count), memory_(nullptr), tops_(new void*[static_cast<std::size_t>(count)]) {
  void* memory = mmap(nullptr, pitch * static_cast<std::size_t>(count), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(memory);
  for (int i = 0; i < count; ++i) mprotect(memory_ + pitch * static_cast<std::size_t>(i), guard_bytes, PROT_NONE);
}

Fibers::~Fibers() {
  munmap(memory_, pitch * static_cast<std::size_t>(count_));
  delete[] tops_;
}

void Fibers::prepare(int i, void (*entry)(void*), void* argument) {
  auto* end = reinterpret_cast<std::uint64_t*>(memory_ + pitch * static_cast<std::size_t>(i + 1));
  std::uint64_t* top = end - 7;  // r15 r14 r13 r12 rbx rbp and where to return, which leaves an aligned stack
  top[0] = top[1] = top[2] = top[5] = 0;
  top[3] = reinterpret_cast<std::uint64_t>(entry);
  top[4] = reinterpret_cast<std::uint64_t>(argument);
  top[6] = reinterpret_cast<std::uint64_t>(&quern_enter_fiber);
  tops_[i] = top;
}

void Fibers::switch_to(int from, int to) { quern_switch_stack(&top(from), top(to)); }

}  // namespace quern::emulation
