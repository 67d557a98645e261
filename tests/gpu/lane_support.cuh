// What lanes share: device memory, fair timing of several contestants, results as JSON lines.
#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

namespace quern::lanes {

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "lanes: %s: %s\n", what, cudaGetErrorString(status));
  std::exit(6);
}

// An array in device memory. Move-only.
template <class T>
class Buffer {
 public:
  explicit Buffer(std::size_t count) : count_(count) {
    check(cudaMalloc(&data_, std::max<std::size_t>(count, 1) * sizeof(T)), "cudaMalloc");
  }
  explicit Buffer(const std::vector<T>& values) : Buffer(values.size()) {
    check(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice), "copy to the device");
  }
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), count_(other.count_) {}
  Buffer& operator=(Buffer&&) = delete;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { cudaFree(data_); }
  T* data() const { return data_; }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(T); }
  void zero(cudaStream_t stream) const { check(cudaMemsetAsync(data_, 0, bytes(), stream), "memset"); }
  std::vector<T> to_host() const {
    std::vector<T> values(count_);
    check(cudaMemcpy(values.data(), data_, bytes(), cudaMemcpyDeviceToHost), "copy to the host");
    return values;
  }

 private:
  T* data_ = nullptr;
  std::size_t count_;
};

struct Contestant {
  std::string name;
  std::function<void(cudaStream_t)> prepare;  // not timed; may be empty
  std::function<void(cudaStream_t)> run;
};

// Milliseconds of each contestant: one round that does not count, then `rounds` in which all run in turn.
inline std::vector<std::vector<float>> race(const std::vector<Contestant>& contestants, int rounds, cudaStream_t stream) {
  std::vector<std::vector<float>> times(contestants.size());
  cudaEvent_t begin, end;
  check(cudaEventCreate(&begin), "event");
  check(cudaEventCreate(&end), "event");
  for (int round = -1; round < rounds; ++round)
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      if (contestants[i].prepare) contestants[i].prepare(stream);
      check(cudaEventRecord(begin, stream), "event");
      contestants[i].run(stream);
      check(cudaEventRecord(end, stream), "event");
      check(cudaEventSynchronize(end), contestants[i].name.c_str());
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, begin, end), "event");
      if (round >= 0) times[i].push_back(milliseconds);
    }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return times;
}

inline float median(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// One line of output. Figures are name and value; the raw times are kept.
using Figures = std::vector<std::pair<std::string, double>>;
inline void report(const std::string& lane, const std::string& contestant, const std::vector<float>& times, const Figures& figures,
                   bool checked) {
  std::printf(R"({"lane": "%s", "contestant": "%s", "median_ms": %.4f, "ms": [)", lane.c_str(), contestant.c_str(), median(times));
  for (std::size_t i = 0; i < times.size(); ++i) std::printf("%s%.4f", i ? ", " : "", times[i]);
  std::printf("]");
  for (const auto& [name, value] : figures) std::printf(R"(, "%s": %.6g)", name.c_str(), value);
  std::printf(R"(, "result_checked": %s})"
              "\n",
              checked ? "true" : "false");
  std::fflush(stdout);
}

// Figures of a contestant that has to move `bytes`, beside the copy rate measured in this run.
inline Figures rates(const std::vector<float>& times, double bytes, double items, double copy_bytes_per_second) {
  const double seconds = median(times) / 1e3;
  return {{"bytes", bytes},
          {"gb_per_s", bytes / seconds / 1e9},
          {"share_of_copy", bytes / seconds / copy_bytes_per_second},
          {"g_items_per_s", items / seconds / 1e9}};
}

// A contestant whose result is wrong ends the run: no time of it counts.
inline void require(bool right, const std::string& what) {
  if (right) return;
  std::fprintf(stderr, "lanes: wrong result: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace quern::lanes
