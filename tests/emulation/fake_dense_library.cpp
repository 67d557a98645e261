// cuBLAS as far as cuda/dense_library.hpp uses it, on the fake runtime: plain loops, in the order of the stream.
#include "cuda/dense_library.hpp"
#include "tests/emulation/fake_runtime.hpp"
#include "tests/emulation/fake_state.hpp"

namespace quern::cuda::dense {
namespace {

struct FakeHandle {
  Stream stream = nullptr;
};

FakeHandle& ours(Handle handle) { return *static_cast<FakeHandle*>(handle); }

}  // namespace

std::string refusal() { return fake::FakeState::get().settings().libraries == "none" ? "cuBLAS cannot be opened: there is none" : ""; }

Status create(Handle& handle) {
  const Status status = fake::FakeState::get().count("dense_create");
  if (status == Status::success) handle = new FakeHandle;
  return status;
}

Status destroy(Handle handle) {
  delete &ours(handle);
  return fake::FakeState::get().count("dense_destroy");
}

Status use(Handle handle, Stream stream, void*, std::size_t) {
  ours(handle).stream = stream;
  return fake::FakeState::get().count("dense_use");
}

Status add_products(Handle handle, const double* rows, std::int32_t n_rows, std::int32_t n_genes, double* products) {
  const Status status = fake::FakeState::get().count("add_products");
  if (status != Status::success) return status;
  const auto n = static_cast<std::size_t>(n_genes);
  fake::enqueue(ours(handle).stream, "add_products", [=] {
    for (std::size_t row = 0; row < static_cast<std::size_t>(n_rows); ++row)
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = i; j < n; ++j) products[i * n + j] += rows[row * n + i] * rows[row * n + j];
  });
  return status;
}

}  // namespace quern::cuda::dense
