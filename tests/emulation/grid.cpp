#include "tests/emulation/grid.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

namespace quern::emulation {
namespace {

thread_local Grid* running = nullptr;

std::string place(const Where& where) {
  const std::string file = where.file_name();
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(where.line());
}

}  // namespace

Grid& Grid::current() { return *running; }

Grid::Grid(const GridShape& shape, const Schedule& schedule, const std::function<void()>& lane_body)
    : shape_(shape),
      schedule_(schedule),
      lane_body_(lane_body),
      fibers_(shape.threads),
      warps_(static_cast<std::size_t>(shape.threads) / 32),
      shared_(shape.shared_bytes),
      random_state_(schedule.seed * 0x9e3779b97f4a7c15ULL + 1) {}

void Grid::run(const GridShape& shape, const Schedule& schedule, const std::function<void()>& lane_body) {
  if (shape.threads <= 0 || shape.threads % 32 || shape.threads > 1024) throw DeviceFault("a block of " + std::to_string(shape.threads));
  Grid grid(shape, schedule, lane_body);
  std::vector<int> order(static_cast<std::size_t>(shape.blocks));
  std::iota(order.begin(), order.end(), 0);
  if (schedule.order == LaneOrder::descending) std::reverse(order.begin(), order.end());
  if (schedule.order == LaneOrder::shuffled)
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[grid.random() % i]);
  Grid* outer = std::exchange(running, &grid);
  for (const int block : order) {
    grid.run_block(block);
    if (grid.failure_) break;
  }
  running = outer;
  if (grid.failure_) std::rethrow_exception(grid.failure_);
}

void Grid::run_block(int block) {
  block_ = block;
  ended_ = at_barrier_ = 0;
  barriers_passed_ = 0;
  std::fill(shared_.begin(), shared_.end(), std::byte{0xcb});
  if (checked()) shared_records_.assign((shared_.size() + 3) / 4, {});
  for (auto& state : warps_) {
    state = {};
    state.runnable = 0xffffffffU;
  }
  for (int i = 0; i < shape_.threads; ++i) fibers_.prepare(i, &Grid::enter, this);
  thread_ = Fibers::outside;
  go_to(next_lane());
}

void Grid::enter(void* grid) { static_cast<Grid*>(grid)->run_lane(); }

void Grid::run_lane() {
  try {
    lane_body_();
    warp().runnable &= ~bit();
    if (++ended_ == shape_.threads) go_to(Fibers::outside);
    go_to(next_lane());
  } catch (...) {
    failure_ = std::current_exception();
  }
  go_to(Fibers::outside);
}

void Grid::go_to(int next) {
  const int self = std::exchange(thread_, next);
  if (next == self) return;
  fibers_.switch_to(self, next);
}

void Grid::wait() {
  warp().runnable &= ~bit();
  go_to(next_lane());
}

std::uint32_t Grid::random() {
  random_state_ ^= random_state_ << 13;
  random_state_ ^= random_state_ >> 7;
  random_state_ ^= random_state_ << 17;
  return static_cast<std::uint32_t>(random_state_ >> 32);
}

int Grid::next_warp(int from, int step) const {
  const int n = static_cast<int>(warps_.size());
  for (int i = 0, w = from; i < n; ++i, w = (w + step + n) % n)
    if (warps_[static_cast<std::size_t>(w)].runnable) return w;
  return -1;
}

int Grid::next_lane() {
  const int n = static_cast<int>(warps_.size());
  const bool down = schedule_.order == LaneOrder::descending, shuffled = schedule_.order == LaneOrder::shuffled;
  int from = thread_ >= 0 ? thread_ / 32 : down ? n - 1 : 0;
  if (shuffled && random() % 8 == 0) from = static_cast<int>(random() % static_cast<std::uint32_t>(n));
  const int w = next_warp(from, down ? -1 : 1);
  if (w < 0) fault(stuck());
  const std::uint32_t mask = warps_[static_cast<std::size_t>(w)].runnable;
  if (down) return w * 32 + 31 - std::countl_zero(mask);
  const int turn = shuffled ? static_cast<int>(random() % 32) : 0;
  return w * 32 + (std::countr_zero(std::rotr(mask, turn)) + turn) % 32;
}

std::string Grid::stuck() const {
  std::string text = "divergent barrier: " + std::to_string(ended_) + " threads have ended, ";
  text += std::to_string(at_barrier_) + " wait at a barrier";
  if (at_barrier_) text += " (" + place(barrier_where_) + ")";
  for (const auto& state : warps_)
    if (state.arrived) text += ", " + std::to_string(std::popcount(state.arrived)) + " lanes of a warp at " + place(state.where);
  return text;
}

bool Grid::passes(const Where& where) {
  if (schedule_.places == nullptr && schedule_.planted.skipped.empty()) return true;
  if (schedule_.places) schedule_.places->insert(place(where));
  return place(where) != schedule_.planted.skipped;
}

Grid::Deposits Grid::meet(std::uint64_t value, bool orders_memory, const Where& where) {
  WarpState& state = warp();
  if (state.arrived == 0) {
    state.where = where;
    state.votes[state.phase] = 0;
  } else if (state.where.line() != where.line() || state.where.column() != where.column()) {
    fault("divergent warp: lanes meet at " + place(where) + " and at " + place(state.where));
  }
  const unsigned phase = state.phase;
  state.values[phase][static_cast<std::size_t>(thread_ % 32)] = value;
  state.votes[phase] |= static_cast<std::uint32_t>(value & 1) << (thread_ % 32);
  state.arrived |= bit();
  if (state.arrived == 0xffffffffU) {
    state.arrived = 0;
    state.phase ^= 1;  // a lane can be one meeting ahead of those that still read, never two
    state.synced += orders_memory && passes(where);
    state.runnable = 0xffffffffU;
  } else {
    wait();
  }
  return {state.values[phase].data(), state.votes[phase]};
}

void Grid::barrier(const Where& where) {
  if (!passes(where)) return;
  if (at_barrier_ == 0) barrier_where_ = where;
  if (barrier_where_.line() != where.line())
    fault("divergent barrier: threads wait at " + place(where) + " and at " + place(barrier_where_));
  if (++at_barrier_ < shape_.threads) return wait();
  at_barrier_ = 0;
  ++barriers_passed_;
  for (auto& state : warps_) state.runnable = 0xffffffffU;
}

void Grid::atomic_pause() {
  if (schedule_.order == LaneOrder::shuffled && random() % 8 == 0) go_to(next_lane());
}

void Grid::touch_shared(std::size_t offset, std::size_t bytes, Access kind) {
  const bool reads = kind != Access::write;
  if (schedule_.planted.plain_atomics && kind == Access::atomic) kind = Access::write;
  for (std::size_t word = offset / 4; word < (offset + bytes + 3) / 4; ++word) {
    AccessRecord& record = shared_records_[word];
    if (reads && !record.written()) fault("read of uninitialised shared memory at byte " + std::to_string(word * 4));
    if (!record.note(kind, now())) fault("race in shared memory at byte " + std::to_string(word * 4));
  }
}

void Grid::touch_global(const void* pointer, std::size_t bytes, Access kind) {
  if (schedule_.planted.plain_atomics && kind == Access::atomic) kind = Access::write;
  if (!last_range_.holds(pointer, bytes)) {
    std::swap(last_range_, second_range_);
    if (!last_range_.holds(pointer, bytes)) last_range_ = find_device_memory(pointer);
    if (!last_range_.holds(pointer, bytes)) fault("access of global memory out of bounds: " + std::to_string(bytes) + " bytes");
  }
  const auto first = reinterpret_cast<std::uintptr_t>(pointer) / 4;
  const auto last = (reinterpret_cast<std::uintptr_t>(pointer) + bytes - 1) / 4;
  for (auto word = first; word <= last; ++word) {
    if (kind == Access::read && !global_records_.contains(word)) continue;  // never stored to by this grid, so far
    if (!global_records_[word].note(kind, now())) fault("race in global memory");
  }
}

void Grid::fault(const std::string& what) const {
  throw DeviceFault(what + " (block " + std::to_string(block_) + ", thread " + std::to_string(thread_) + ")");
}

}  // namespace quern::emulation
