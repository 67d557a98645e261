#include "cli/cuda_module.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <utility>

#include "host/core/error.hpp"

namespace quern::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* module_name = "libquern_cuda.so";

struct Module {
  const cuda::ModuleEntry* entry = nullptr;
  cuda::CudaReport report;
};

fs::path find_module() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& place : {folder / module_name, folder.parent_path() / "lib" / "quern" / module_name})
    if (fs::exists(place, error)) return place;
  return {};
}

// Of the module: which build it is of.
std::string build_of(void* library) {
  const auto function = reinterpret_cast<cuda::ModuleBuildFunction*>(dlsym(library, cuda::module_build_name));
  return function ? std::string("build ") + function() : "an older build";
}

Module without(cuda::CudaState state, std::string text, std::string hint) {
  Module module;
  module.report.state = state;
  module.report.text = std::move(text);
  module.report.hint = std::move(hint);
  return module;
}

// Never closed: what it threw and made lives as long as the process.
Module open_module() {
  const fs::path path = find_module();
  if (path.empty())
    return without(cuda::CudaState::no_module, std::string("this program was built without its CUDA module (") + module_name + ")",
                   "build it with ./bootstrap build --cuda");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return without(cuda::CudaState::wrong_module, "the CUDA module cannot be opened: " + std::string(dlerror()), "build it again");
  const auto function = reinterpret_cast<cuda::ModuleFunction*>(dlsym(library, cuda::module_entry_name));
  const bool same_build = build_of(library) == std::string("build ") + cuda::module_build();
  const cuda::ModuleEntry* entry = function && same_build ? function(cuda::module_build()) : nullptr;
  if (!entry)
    return without(cuda::CudaState::wrong_module,
                   path.string() + " is of " + build_of(library) + ", this program of build " + cuda::module_build(),
                   "build both from the same sources (./bootstrap build), and install them together");
  return {entry, entry->report()};
}

const Module& the_module() {
  static const Module module = open_module();
  return module;
}

Error refusal(const cuda::CudaReport& report) {
  constexpr const char* object = "--backend cuda";
  const std::string hint = (report.hint.empty() ? "" : report.hint + "; ") + "or give --backend cpu";
  switch (report.state) {
    case cuda::CudaState::no_module:
      return Error(ErrorKind::device, "not-built", object, report.text, hint);
    case cuda::CudaState::wrong_module:
      return Error(ErrorKind::device, "wrong-module", object, report.text, hint);
    case cuda::CudaState::no_driver:
      return Error(ErrorKind::device, "no-driver", object, report.text, hint);
    case cuda::CudaState::old_driver:
      return Error(ErrorKind::device, "old-driver", object, report.text, hint);
    case cuda::CudaState::forbidden_device:
      return Error(ErrorKind::device, "forbidden-device", object, report.text, hint);
    case cuda::CudaState::broken:
      return Error(ErrorKind::device, "broken-driver", object, report.text, hint);
    default:
      return Error(ErrorKind::device, "no-device", object, report.text, hint);
  }
}

}  // namespace

const cuda::CudaReport& cuda_report() { return the_module().report; }

std::unique_ptr<Backend> open_cuda_backend(const cuda::CudaOptions& options) {
  const Module& module = the_module();
  if (module.report.state != cuda::CudaState::ready) throw refusal(module.report);
  return module.entry->make_backend(options);
}

}  // namespace quern::cli
