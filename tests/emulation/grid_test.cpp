// The model of a device: what it computes, and that it catches what a kernel must not do.
#include <gmock/gmock.h>

#include <string>

#include "cuda/device/group.hpp"
#include "tests/emulation/launches.hpp"

namespace quern::emulation {
namespace {

using cuda::Block;
using cuda::Group;
using cuda::Warp;

constexpr LaneOrder all_orders[] = {LaneOrder::ascending, LaneOrder::descending, LaneOrder::shuffled};

template <class Kernel>
void run(const Kernel& kernel, LaneOrder order, const GridShape& shape) {
  Grid::run(shape, {order, 7, true}, [&] {
    Block block;
    kernel(block);
  });
}

// What the model says about a kernel, in the orders that find something.
template <class Kernel>
std::vector<std::string> faults(const Kernel& kernel, const GridShape& shape = {1, 64, 1024}) {
  std::vector<std::string> found;
  for (const LaneOrder order : all_orders) try {
      run(kernel, order, shape);
    } catch (const DeviceFault& fault) {
      found.emplace_back(fault.what());
    }
  return found;
}

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A block sums up what its threads bring: right with a barrier, a race without.
struct BlockSum {
  std::uint32_t* out;
  bool with_barrier = true, with_atomics = true;
  void operator()(Block& block) const {
    const auto sum = block.shared<std::uint32_t>(1);
    if (block.thread() == 0) sum.set(0, 0);
    if (with_barrier) block.barrier();
    const auto mine = static_cast<std::uint32_t>(block.thread());
    if (with_atomics)
      sum.atomic_add(0, mine);
    else
      sum.set(0, sum.get(0) + mine);
    block.barrier();
    if (block.thread() == 0) cuda::store(out, block.index(), sum.get(0));
  }
};

TEST(Grid, CorrectKernelsRunInEveryOrder) {
  for (const LaneOrder order : all_orders) {
    const DeviceArray<std::uint32_t> out(5);
    run(BlockSum{out.data()}, order, {5, 96, 16});
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(out[i], 96U * 95 / 2);
  }
}

TEST(GridCatches, MissingBarrier) {
  const DeviceArray<std::uint32_t> out(1);
  const BlockSum kernel{out.data(), false, true};
  EXPECT_THAT(faults(kernel), SizeIs(3));
}

TEST(GridCatches, RaceOfNonAtomicAdditions) {
  const DeviceArray<std::uint32_t> out(1);
  const BlockSum kernel{out.data(), true, false};
  EXPECT_THAT(faults(kernel), AllOf(SizeIs(3), Each(HasSubstr("race in shared memory"))));
}

TEST(GridCatches, RaceWithinAWarpWithoutSync) {
  const auto neighbours = [](bool with_sync) {
    return [with_sync](Block& block) {
      const Warp warp(block);
      const auto words = block.shared<std::uint32_t>(32);
      words.set(warp.lane(), 1);
      if (with_sync) warp.sync();
      static_cast<void>(words.get((warp.lane() + 1) % 32));
    };
  };
  EXPECT_THAT(faults(neighbours(false), {1, 32, 128}), SizeIs(3));
  EXPECT_THAT(faults(neighbours(true), {1, 32, 128}), IsEmpty());
}

TEST(GridCatches, OverwritingWhatOthersStillRead) {
  const auto kernel = [](Block& block) {
    const auto word = block.shared<std::uint32_t>(1);
    if (block.thread() == 0) word.set(0, 1);
    block.barrier();
    const std::uint32_t seen = word.get(0);
    if (block.thread() == 0) word.set(0, seen + 1);  // a barrier is missing before this
  };
  EXPECT_THAT(faults(kernel), AllOf(SizeIs(3), Each(HasSubstr("race in shared memory"))));
}

TEST(GridCatches, UninitialisedSharedMemory) {
  const auto kernel = [](Block& block) { static_cast<void>(block.shared<std::uint32_t>(4).get(1)); };
  EXPECT_THAT(faults(kernel), AllOf(SizeIs(3), Each(HasSubstr("uninitialised shared memory"))));
  const auto atomic = [](Block& block) { block.shared<std::uint32_t>(4).atomic_add(1, 1U); };
  EXPECT_THAT(faults(atomic), AllOf(SizeIs(3), Each(HasSubstr("uninitialised shared memory"))));
}

TEST(GridCatches, SharedMemoryOutOfBounds) {
  const auto beyond = [](Block& block) { block.shared<std::uint32_t>(4).set(4 * (block.thread() == 5), 0); };
  EXPECT_THAT(faults(beyond, {1, 32, 1024}), AllOf(SizeIs(3), Each(HasSubstr("shared memory"))));
  const auto before = [](Block& block) { block.shared<std::uint32_t>(4).set(-1, 0); };
  EXPECT_THAT(faults(before), AllOf(SizeIs(3), Each(HasSubstr("out of bounds"))));
  const auto more_than_launched = [](Block& block) { static_cast<void>(block.shared<std::uint64_t>(129)); };
  EXPECT_THAT(faults(more_than_launched), AllOf(SizeIs(3), Each(HasSubstr("more than it was launched with"))));
}

TEST(GridCatches, GlobalMemoryOutOfBounds) {
  const DeviceArray<std::uint32_t> words(10);
  const auto read = [&](Block& block) { static_cast<void>(cuda::load(words.data(), block.thread() % 11)); };
  EXPECT_THAT(faults(read), AllOf(SizeIs(3), Each(HasSubstr("global memory out of bounds"))));
  const auto write = [&](Block& block) {
    if (block.thread() == 40) cuda::store(words.data(), -1, 0U);
  };
  EXPECT_THAT(faults(write), AllOf(SizeIs(3), Each(HasSubstr("global memory out of bounds"))));
  std::uint32_t on_the_host = 0;
  const auto host = [&](Block&) { cuda::atomic_add(&on_the_host, 0, 1U); };
  EXPECT_THAT(faults(host), AllOf(SizeIs(3), Each(HasSubstr("global memory out of bounds"))));
}

TEST(GridCatches, RacesInGlobalMemoryBetweenBlocks) {
  const DeviceArray<std::uint32_t> words(2);
  const auto stores = [&](Block& block) {
    if (block.thread() == 0) cuda::store(words.data(), 0, 1U);
  };
  EXPECT_THAT(faults(stores, {2, 32, 0}), AllOf(SizeIs(3), Each(HasSubstr("race in global memory"))));
  const auto atomics = [&](Block&) { cuda::atomic_add(words.data(), 1, 1U); };
  EXPECT_THAT(faults(atomics, {2, 32, 0}), IsEmpty());
}

TEST(GridCatches, DivergentBarriers) {
  const auto some_never_come = [](Block& block) {
    if (block.thread() < 40) block.barrier();
  };
  EXPECT_THAT(faults(some_never_come), AllOf(SizeIs(3), Each(HasSubstr("divergent barrier"))));
  const auto two_places = [](Block& block) {
    if (block.thread() < 32)
      block.barrier();
    else
      block.barrier();
  };
  EXPECT_THAT(faults(two_places), AllOf(SizeIs(3), Each(HasSubstr("divergent barrier"))));
}

TEST(GridCatches, DivergentWarps) {
  const auto kernel = [](Block& block) {
    const Warp warp(block);
    if (warp.lane() < 7)
      static_cast<void>(warp.ballot(true));
    else
      warp.sync();
  };
  EXPECT_THAT(faults(kernel), AllOf(SizeIs(3), Each(HasSubstr("divergent"))));
}

TEST(Warp, CollectivesAndGroups) {
  for (const LaneOrder order : all_orders) {
    const DeviceArray<std::int64_t> sums(64), suffixes(64), above(64);
    const DeviceArray<std::uint32_t> votes(64);
    run(
        [&](Block& block) {
          const Warp warp(block);
          const Group<8> group(warp);
          const int i = block.thread();
          cuda::store(sums.data(), i, group.sum(std::int64_t{i} << 33));
          cuda::store(suffixes.data(), i, group.suffix_sum(std::int64_t{1}));
          cuda::store(above.data(), i, group.above(std::int64_t{i}));
          cuda::store(votes.data(), i, group.part(warp.ballot(i % 3 == 0)));
        },
        order, {1, 64, 0});
    for (std::size_t i = 0; i < 64; ++i) {
      const std::size_t first = i / 8 * 8;
      EXPECT_EQ(sums[i], static_cast<std::int64_t>(first * 8 + 28) << 33);
      EXPECT_EQ(suffixes[i], static_cast<std::int64_t>(8 - i % 8));
      EXPECT_EQ(above[i], i % 8 == 7 ? 0 : static_cast<std::int64_t>(i + 1));
      std::uint32_t expected = 0;
      for (std::size_t k = 0; k < 8; ++k) expected |= static_cast<std::uint32_t>((first + k) % 3 == 0) << k;
      EXPECT_EQ(votes[i], expected);
    }
  }
}

TEST(Warp, SearchesWithAllLanes) {
  for (const std::int64_t n : {0, 1, 31, 32, 33, 1000, 1025}) {
    for (std::int64_t answer = 0; answer <= n; answer += n < 100 ? 1 : 97) {
      const DeviceArray<std::int64_t> found(32);
      run(
          [&](Block& block) {
            const Warp warp(block);
            cuda::store(found.data(), block.thread(), cuda::first_not(warp, n, [&](std::int64_t i) { return i < answer; }));
          },
          LaneOrder::shuffled, {1, 32, 0});
      for (std::size_t lane = 0; lane < 32; ++lane) ASSERT_EQ(found[lane], answer) << n;
    }
  }
}

}  // namespace
}  // namespace quern::emulation
