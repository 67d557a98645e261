// The backend that computes on NVIDIA's devices.
#include <algorithm>
#include <exception>

#include "cuda/check.hpp"
#include "cuda/cuda_gram.hpp"
#include "cuda/cuda_mapping.hpp"
#include "cuda/cuda_product.hpp"
#include "cuda/cuda_run.hpp"
#include "cuda/module.hpp"

namespace quern::cuda {
namespace {

constexpr std::size_t headroom_bytes = std::size_t{64} << 20;  // of what is free on a device: for the driver
constexpr std::int64_t device_chunk_nnz = 1 << 20;             // long copies, kernels with work for every multiprocessor

std::unique_ptr<Device> open_device(const DeviceFacts& facts, const CudaOptions& options) {
  const std::string name = facts.name + ", " + facts.uuid;
  constexpr const char* what = "starting work on the device";
  check(runtime::set_device(facts.index), name, what);
  std::size_t free_bytes = 0, total_bytes = 0;
  check(runtime::memory_info(free_bytes, total_bytes), name, what);
  const std::size_t wanted =
      options.gpu_bytes ? options.gpu_bytes : total_bytes / 100 * static_cast<std::size_t>(std::clamp(options.gpu_percent, 1, 100));
  const std::size_t limit = std::min(wanted, free_bytes - std::min(free_bytes, headroom_bytes));
  check(runtime::make_pool(facts.index, limit), name, what);
  return std::make_unique<Device>(facts, limit);
}

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const CudaOptions& options) : options_(options) {
    std::exception_ptr first_failure;
    for (const DeviceReport& found : report_devices().devices) {
      if (!found.refusal.empty()) continue;
      try {
        devices_.push_back(open_device(found.facts, options));
      } catch (const Error& failure) {
        if (!first_failure) first_failure = std::current_exception();
        left_out_.push_back(failure.object() + ": " + failure.what());
      }
    }
    if (!devices_.empty()) return;
    if (first_failure) std::rethrow_exception(first_failure);
    throw Error(ErrorKind::device, "no-device", "--backend cuda", report_devices().text, report_devices().hint);
  }

  ~CudaBackend() override {
    for (const auto& device : devices_) static_cast<void>(runtime::drop_pool(device->facts.index));
  }

  std::string name() const override { return "cuda"; }
  std::string device() const override {
    std::string all;
    for (const auto& device : devices_) all += (all.empty() ? "" : "; ") + device->memory.device();
    return all;
  }
  HostMemory& ring_memory() override { return host_; }
  std::size_t least_bytes(const OpSpec& ops, const MatrixShape& shape) const override { return run_host_bytes(ops, shape, lanes()); }
  std::unique_ptr<Run> open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, std::size_t) override {
    return make_run(ops, shape, room(), budget);
  }
  std::unique_ptr<Mapping> open_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape, MemoryBudget& budget) override {
    return make_mapping(map, out_type, shape, room(), budget);
  }
  std::unique_ptr<Product> open_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget) override {
    return make_product(spec, shape, room(), budget);
  }
  std::size_t gram_bytes(std::int64_t n_genes) const override { return CudaGram::host_bytes(n_genes); }
  std::unique_ptr<GeneProducts> open_gram(std::int64_t n_genes, MemoryBudget& budget) override {
    return std::make_unique<CudaGram>(n_genes, room(), budget);
  }
  std::int64_t chunk_nnz() const override { return device_chunk_nnz; }
  std::uint64_t peak_device_bytes() const override {
    std::size_t peak = 0;
    for (const auto& device : devices_) peak = std::max(peak, device->memory.peak());
    return peak;
  }
  DeviceTraffic device_traffic() const override { return traffic_.traffic(); }
  std::vector<BackendWarning> warnings() const override {
    std::vector<BackendWarning> warnings;
    for (const std::string& device : left_out_) warnings.push_back({"device-left-out", device});
    if (const std::string refusal = host_.refusal(); !refusal.empty())
      warnings.push_back({"pageable-ring", "the system refused page-locked memory, so copies to the device are slower: " + refusal});
    if (!small_buffers_.empty()) warnings.push_back({"small-device-buffers", "the device had little room: " + small_buffers_});
    return warnings;
  }

 private:
  int lanes() const { return std::max(options_.threads, 2); }
  RunRoom room() { return {devices_, host_, lanes(), options_.rows_between_carries, small_buffers_, traffic_}; }
  CudaOptions options_;
  std::vector<std::unique_ptr<Device>> devices_;
  PinnedMemory host_;
  std::vector<std::string> left_out_;  // devices that would not start
  std::string small_buffers_;
  TrafficMeter traffic_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options) { return std::make_unique<CudaBackend>(options); }

}  // namespace quern::cuda
