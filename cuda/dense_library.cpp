#include "cuda/dense_library.hpp"

#include <dlfcn.h>

namespace quern::cuda::dense {
namespace {

// cublas_v2.h of CUDA 12 and 13, of which no header is needed: these declarations are its binary interface.
constexpr const char* library_names[] = {"libcublas.so.13", "libcublas.so.12", "/usr/local/cuda/lib64/libcublas.so"};
constexpr int fill_lower = 0, no_transposition = 0;  // cublasFillMode_t, cublasOperation_t

struct Library {
  int (*create)(Handle*) = nullptr;
  int (*destroy)(Handle) = nullptr;
  int (*set_stream)(Handle, Stream) = nullptr;
  int (*set_workspace)(Handle, void*, std::size_t) = nullptr;
  int (*dsyrk)(Handle, int fill, int transposition, int n, int k, const double* alpha, const double* a, int lda, const double* beta,
               double* c, int ldc) = nullptr;
  std::string refusal;

  Library() {
    void* opened = nullptr;
    for (const char* name : library_names)
      if (!opened) opened = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!opened) {
      refusal = "cuBLAS cannot be opened: " + std::string(dlerror());
      return;
    }
    find(opened, "cublasCreate_v2", create);
    find(opened, "cublasDestroy_v2", destroy);
    find(opened, "cublasSetStream_v2", set_stream);
    find(opened, "cublasSetWorkspace_v2", set_workspace);
    find(opened, "cublasDsyrk_v2", dsyrk);
  }

  template <class Function>
  void find(void* opened, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(opened, name));
    if (!function) refusal = std::string("cuBLAS lacks ") + name;
  }
};

// Never closed: CUDA's libraries leave threads behind.
const Library& library() {
  static const Library opened;
  return opened;
}

// cublasStatus_t.
Status status_of(int status) {
  switch (status) {
    case 0:
      return Status::success;
    case 1:  // NOT_INITIALIZED
      return Status::initialization;
    case 3:  // ALLOC_FAILED
      return Status::out_of_memory;
    case 8:  // ARCH_MISMATCH
      return Status::no_kernel_image;
    case 13:  // EXECUTION_FAILED
      return Status::launch_failure;
    default:
      return Status::unknown;
  }
}

}  // namespace

std::string refusal() { return library().refusal; }

Status create(Handle& handle) { return status_of(library().create(&handle)); }
Status destroy(Handle handle) { return status_of(library().destroy(handle)); }

Status use(Handle handle, Stream stream, void* workspace, std::size_t workspace_bytes) {
  if (const Status status = status_of(library().set_stream(handle, stream)); status != Status::success) return status;
  return status_of(library().set_workspace(handle, workspace, workspace_bytes));
}

// To cuBLAS, for which matrices are column after column, `rows` is n_genes x n_rows, and right of the diagonal is below it.
Status add_products(Handle handle, const double* rows, std::int32_t n_rows, std::int32_t n_genes, double* products) {
  constexpr double one = 1;
  return status_of(library().dsyrk(handle, fill_lower, no_transposition, n_genes, n_rows, &one, rows, n_genes, &one, products, n_genes));
}

}  // namespace quern::cuda::dense
