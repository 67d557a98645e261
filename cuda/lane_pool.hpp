// Lanes, lent to one thread at a time, the one that has rested longest first: so all devices get their share.
#pragma once
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace quern::cuda {

template <class Lane>
class LanePool {
 public:
  class Lease {
   public:
    Lease(LanePool& pool, Lane& lane) : pool_(pool), lane_(lane) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(lane_); }
    Lane* operator->() const { return &lane_; }

   private:
    LanePool& pool_;
    Lane& lane_;
  };

  void add(std::unique_ptr<Lane> lane) {  // while nothing is lent
    rested_.push_back(lane.get());
    lanes_.push_back(std::move(lane));
  }
  void clear() {  // while nothing is lent
    rested_.clear();
    lanes_.clear();
  }
  Lease lease() {  // waits until there is one
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [&] { return !rested_.empty(); });
    Lane& lane = *rested_.front();
    rested_.pop_front();
    return {*this, lane};
  }

 private:
  void give_back(Lane& lane) {
    {
      const std::scoped_lock lock(mutex_);
      rested_.push_back(&lane);
    }
    returned_.notify_one();
  }
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::deque<Lane*> rested_;
  std::mutex mutex_;
  std::condition_variable returned_;
};

}  // namespace quern::cuda
