#include "tests/emulation/device_memory.hpp"

#include <map>
#include <mutex>

namespace quern::emulation {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<const std::byte*, std::size_t> ranges;
};
Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

void register_device_memory(const void* pointer, std::size_t bytes) {
  const std::scoped_lock lock(registry().mutex);
  registry().ranges[static_cast<const std::byte*>(pointer)] = bytes;
}

void forget_device_memory(const void* pointer) {
  const std::scoped_lock lock(registry().mutex);
  registry().ranges.erase(static_cast<const std::byte*>(pointer));
}

MemoryRange find_device_memory(const void* pointer) {
  const std::scoped_lock lock(registry().mutex);
  auto next = registry().ranges.upper_bound(static_cast<const std::byte*>(pointer));
  if (next == registry().ranges.begin()) return {};
  const auto [begin, bytes] = *--next;
  const MemoryRange range{begin, begin + bytes};
  return range.holds(pointer, 0) ? range : MemoryRange{};
}

}  // namespace quern::emulation
