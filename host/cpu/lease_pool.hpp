// A fixed number of private copies of some state, lent to one thread at a time.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace quern {

template <class T>
class LeasePool {
 public:
  class Lease {
   public:
    Lease(LeasePool& pool, T* item) : pool_(pool), item_(item) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.give_back(item_); }
    T& operator*() const { return *item_; }
    T* operator->() const { return item_; }

   private:
    LeasePool& pool_;
    T* item_;
  };

  explicit LeasePool(std::vector<std::unique_ptr<T>> items) : items_(std::move(items)) {
    for (auto& item : items_) free_.push_back(item.get());
  }
  // Waits until a copy is free. The one given back last is lent first: it is the warmest.
  Lease lease() {
    std::unique_lock lock(mutex_);
    available_.wait(lock, [&] { return !free_.empty(); });
    T* item = free_.back();
    free_.pop_back();
    return {*this, item};
  }
  // While nothing is lent.
  const std::vector<std::unique_ptr<T>>& items() const { return items_; }

 private:
  void give_back(T* item) {
    {
      const std::scoped_lock lock(mutex_);
      free_.push_back(item);
    }
    available_.notify_one();
  }
  std::vector<std::unique_ptr<T>> items_;
  std::vector<T*> free_;
  std::mutex mutex_;
  std::condition_variable available_;
};

}  // namespace quern
