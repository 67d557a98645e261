#include "cuda/runtime.hpp"

#include <cuda_runtime.h>

#include <cstdio>

namespace quern::cuda {
namespace {

constexpr bool is(Status ours, cudaError_t theirs) { return static_cast<int>(ours) == static_cast<int>(theirs); }
static_assert(is(Status::out_of_memory, cudaErrorMemoryAllocation) && is(Status::initialization, cudaErrorInitializationError));
static_assert(is(Status::old_driver, cudaErrorInsufficientDriver) && is(Status::stub_driver, cudaErrorStubLibrary));
static_assert(is(Status::devices_unavailable, cudaErrorDevicesUnavailable) && is(Status::no_device, cudaErrorNoDevice));
static_assert(is(Status::invalid_device, cudaErrorInvalidDevice) && is(Status::no_kernel_image, cudaErrorNoKernelImageForDevice));
static_assert(is(Status::ecc_uncorrectable, cudaErrorECCUncorrectable) && is(Status::nvlink_uncorrectable, cudaErrorNvlinkUncorrectable));
static_assert(is(Status::contained, cudaErrorContained));
static_assert(is(Status::unsupported_ptx, cudaErrorUnsupportedPtxVersion) && is(Status::illegal_address, cudaErrorIllegalAddress));
static_assert(is(Status::launch_timeout, cudaErrorLaunchTimeout) && is(Status::device_assert, cudaErrorAssert));
static_assert(is(Status::hardware_stack, cudaErrorHardwareStackError) && is(Status::illegal_instruction, cudaErrorIllegalInstruction));
static_assert(is(Status::misaligned_address, cudaErrorMisalignedAddress) && is(Status::launch_failure, cudaErrorLaunchFailure));
static_assert(is(Status::invalid_address_space, cudaErrorInvalidAddressSpace) && is(Status::invalid_program_counter, cudaErrorInvalidPc));
static_assert(is(Status::not_permitted, cudaErrorNotPermitted) && is(Status::system_not_ready, cudaErrorSystemNotReady));
static_assert(is(Status::driver_mismatch, cudaErrorSystemDriverMismatch) && is(Status::unknown, cudaErrorUnknown));

// What is told here is not left behind: CUDA would report it again, as the next launch's own.
Status status_of(cudaError_t error) {
  if (error != cudaSuccess) static_cast<void>(cudaGetLastError());
  return static_cast<Status>(error);
}
cudaError_t error_of(Status status) { return static_cast<cudaError_t>(status); }

std::string text_of_uuid(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", static_cast<unsigned>(static_cast<unsigned char>(uuid.bytes[i])));
    text += pair;
    if (i == 3 || i == 5 || i == 7 || i == 9) text += '-';
  }
  return text;
}

ComputeMode mode_of(int mode) {
  if (mode == cudaComputeModeProhibited) return ComputeMode::prohibited;
  return mode == cudaComputeModeDefault ? ComputeMode::shared : ComputeMode::exclusive;
}

bool has_pools(int device) {
  int supported = 0;
  return cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, device) == cudaSuccess && supported != 0;
}
// The one that allocations of this device come from; null where there is none.
cudaMemPool_t current_pool(int device) {
  cudaMemPool_t pool = nullptr;
  return has_pools(device) && cudaDeviceGetMemPool(&pool, device) == cudaSuccess ? pool : nullptr;
}
// Of the current device.
bool has_pools() {
  int device = 0;
  return cudaGetDevice(&device) == cudaSuccess && has_pools(device);
}

}  // namespace

namespace runtime {

int version() { return CUDART_VERSION; }
Status driver_version(int& number) { return status_of(cudaDriverGetVersion(&number)); }
Status device_count(int& count) { return status_of(cudaGetDeviceCount(&count)); }

Status device_facts(int device, DeviceFacts& facts) {
  cudaDeviceProp properties;
  if (const auto error = cudaGetDeviceProperties(&properties, device); error != cudaSuccess) return status_of(error);
  int mode = 0;
  if (const auto error = cudaDeviceGetAttribute(&mode, cudaDevAttrComputeMode, device); error != cudaSuccess) return status_of(error);
  char bus[32] = "";
  if (const auto error = cudaDeviceGetPCIBusId(bus, sizeof bus, device); error != cudaSuccess) return status_of(error);
  facts = {device,           properties.name,  text_of_uuid(properties.uuid),  bus,
           properties.major, properties.minor, properties.multiProcessorCount, properties.totalGlobalMem,
           mode_of(mode)};
  return Status::success;
}

Status set_device(int device) { return status_of(cudaSetDevice(device)); }
Status memory_info(std::size_t& free_bytes, std::size_t& total_bytes) { return status_of(cudaMemGetInfo(&free_bytes, &total_bytes)); }

Status create_stream(Stream& stream) { return status_of(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking)); }
Status destroy_stream(Stream stream) { return status_of(cudaStreamDestroy(stream)); }
Status synchronize_stream(Stream stream) { return status_of(cudaStreamSynchronize(stream)); }

Status create_event(Event& event) { return status_of(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync)); }
Status destroy_event(Event event) { return status_of(cudaEventDestroy(event)); }
Status record_event(Event event, Stream stream) { return status_of(cudaEventRecord(event, stream)); }
Status synchronize_event(Event event) { return status_of(cudaEventSynchronize(event)); }

Status make_pool(int device, std::size_t limit_bytes) {
  if (!has_pools(device)) return Status::success;
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, device};
  properties.maxSize = limit_bytes;
  cudaMemPool_t pool = nullptr;
  if (status_of(cudaMemPoolCreate(&pool, &properties)) == Status::success)
    if (const auto error = cudaDeviceSetMemPool(device, pool); error != cudaSuccess) return status_of(error);
  std::uint64_t all = UINT64_MAX;
  return status_of(cudaMemPoolSetAttribute(pool ? pool : current_pool(device), cudaMemPoolAttrReleaseThreshold, &all));
}
Status drop_pool(int device) {
  cudaMemPool_t old = nullptr, ours = current_pool(device);
  if (!ours || cudaDeviceGetDefaultMemPool(&old, device) != cudaSuccess || ours == old) return status_of(cudaGetLastError());
  if (const auto error = cudaDeviceSetMemPool(device, old); error != cudaSuccess) return status_of(error);
  return status_of(cudaMemPoolDestroy(ours));
}
Status pool_bytes(int device, std::size_t& bytes) {
  bytes = 0;
  if (!has_pools(device)) return Status::success;
  std::uint64_t taken = 0;
  const Status status = status_of(cudaMemPoolGetAttribute(current_pool(device), cudaMemPoolAttrReservedMemHigh, &taken));
  bytes = taken;
  return status;
}
Status trim_pool(int device) {
  if (!has_pools(device)) return Status::success;
  if (const auto error = cudaDeviceSynchronize(); error != cudaSuccess) return status_of(error);
  return status_of(cudaMemPoolTrimTo(current_pool(device), 0));
}
Status allocate_async(void*& pointer, std::size_t bytes, Stream stream) {
  return status_of(has_pools() ? cudaMallocAsync(&pointer, bytes, stream) : cudaMalloc(&pointer, bytes));
}
Status free_async(void* pointer, Stream stream) { return status_of(has_pools() ? cudaFreeAsync(pointer, stream) : cudaFree(pointer)); }

Status lock_host(void*& pointer, std::size_t bytes) { return status_of(cudaHostAlloc(&pointer, bytes, cudaHostAllocPortable)); }
Status unlock_host(void* pointer) { return status_of(cudaFreeHost(pointer)); }

Status copy_async(void* to, const void* from, std::size_t bytes, CopyTo direction, Stream stream) {
  const auto kind = direction == CopyTo::device ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost;
  return status_of(cudaMemcpyAsync(to, from, bytes, kind, stream));
}
Status clear_async(void* device_pointer, std::size_t bytes, Stream stream) {
  return status_of(cudaMemsetAsync(device_pointer, 0, bytes, stream));
}
Status last_error() { return status_of(cudaGetLastError()); }

std::string error_name(Status status) { return cudaGetErrorName(error_of(status)); }
std::string error_text(Status status) { return cudaGetErrorString(error_of(status)); }

}  // namespace runtime
}  // namespace quern::cuda
