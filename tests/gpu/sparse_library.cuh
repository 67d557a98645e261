// The functions of cuSPARSE that peers use, of a library that need not be there: all are null then.
#pragma once
#include <cusparse.h>
#include <dlfcn.h>

#include "tests/gpu/lane_support.cuh"

namespace quern::lanes {

inline void check_sparse(cusparseStatus_t status, const char* what) {
  require(status == CUSPARSE_STATUS_SUCCESS, std::string(what) + ": status " + std::to_string(static_cast<int>(status)));
}

struct SparseLibrary {
  void* handle = dlopen("libcusparse.so.12", RTLD_NOW | RTLD_LOCAL);
  template <class Function>
  Function find(const char* name) const {
    return handle ? reinterpret_cast<Function>(dlsym(handle, name)) : nullptr;
  }
  decltype(&cusparseCreate) create = find<decltype(&cusparseCreate)>("cusparseCreate");
  decltype(&cusparseDestroy) destroy = find<decltype(&cusparseDestroy)>("cusparseDestroy");
  decltype(&cusparseSetStream) set_stream = find<decltype(&cusparseSetStream)>("cusparseSetStream");
  decltype(&cusparseCreateCsr) create_csr = find<decltype(&cusparseCreateCsr)>("cusparseCreateCsr");
  decltype(&cusparseDestroySpMat) destroy_sparse = find<decltype(&cusparseDestroySpMat)>("cusparseDestroySpMat");
  decltype(&cusparseCreateDnVec) create_vector = find<decltype(&cusparseCreateDnVec)>("cusparseCreateDnVec");
  decltype(&cusparseDestroyDnVec) destroy_vector = find<decltype(&cusparseDestroyDnVec)>("cusparseDestroyDnVec");
  decltype(&cusparseSpMV_bufferSize) spmv_buffer_size = find<decltype(&cusparseSpMV_bufferSize)>("cusparseSpMV_bufferSize");
  decltype(&cusparseSpMV) spmv = find<decltype(&cusparseSpMV)>("cusparseSpMV");
  decltype(&cusparseCreateDnMat) create_dense = find<decltype(&cusparseCreateDnMat)>("cusparseCreateDnMat");
  decltype(&cusparseDestroyDnMat) destroy_dense = find<decltype(&cusparseDestroyDnMat)>("cusparseDestroyDnMat");
  decltype(&cusparseSpMM_bufferSize) buffer_size = find<decltype(&cusparseSpMM_bufferSize)>("cusparseSpMM_bufferSize");
  decltype(&cusparseSpMM) multiply = find<decltype(&cusparseSpMM)>("cusparseSpMM");
};

inline const SparseLibrary& sparse() {
  static const SparseLibrary library;
  return library;
}

}  // namespace quern::lanes
