#include "io/part_registry.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "host/core/error.hpp"

namespace quern::io {
namespace {

enum State : int { free_slot, being_filled, in_use };

struct Slot {
  std::atomic<int> state{free_slot};
  pid_t owner = 0;
  char path[PATH_MAX] = {};
};

std::array<Slot, 64> slots;

void unlink_slot(Slot& slot) noexcept {
  if (slot.owner == getpid() && unlink(slot.path) != 0 && errno == EISDIR) rmdir(slot.path);
}

}  // namespace

RegisteredPart::RegisteredPart(const std::string& absolute_path) {
  if (absolute_path.size() >= PATH_MAX) throw output_error("write-failed", "", "the path is too long").in_file(absolute_path);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    int expected = free_slot;
    if (!slots[i].state.compare_exchange_strong(expected, being_filled)) continue;
    std::memcpy(slots[i].path, absolute_path.c_str(), absolute_path.size() + 1);
    slots[i].owner = getpid();
    slots[i].state = in_use;
    slot_ = static_cast<int>(i);
    return;
  }
  throw Error(ErrorKind::internal, "too-many-outputs", "", "more than 64 outputs are open at once");
}
RegisteredPart::RegisteredPart(RegisteredPart&& other) noexcept : slot_(std::exchange(other.slot_, -1)) {}
RegisteredPart& RegisteredPart::operator=(RegisteredPart&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}
RegisteredPart::~RegisteredPart() {
  if (slot_ >= 0) unlink_slot(slots[static_cast<std::size_t>(slot_)]);
  release();
}
void RegisteredPart::release() noexcept {
  if (slot_ >= 0) slots[static_cast<std::size_t>(slot_)].state = free_slot;
  slot_ = -1;
}

void unlink_registered_parts() noexcept {
  for (int turn = 0; turn < 2; ++turn)  // folders, once their files are gone
    for (Slot& slot : slots)
      if (slot.state == in_use) unlink_slot(slot);
}

}  // namespace quern::io
