#include "io/input.hpp"

#include <filesystem>

#include "host/core/error.hpp"
#include "io/detect.hpp"
#include "io/hdf5/probe.hpp"
#include "io/opened_input.hpp"

namespace quern::io {
namespace {

std::unique_ptr<Input> open_checked(const std::string& path, const InputOptions& options) {
  if (detect_container(path) == Container::mtx) return open_mtx_input(path, options);
  run_in_probe([&] { open_hdf5_input(path, options)->touch(options.depth); }, probe_limits(std::filesystem::file_size(path)));
  return open_hdf5_input(path, options);
}

}  // namespace

std::unique_ptr<Input> Input::open(const std::string& path, const InputOptions& options) {
  try {
    return open_checked(path, options);
  } catch (Error& error) {
    error.in_file(path);
    throw;
  } catch (const std::filesystem::filesystem_error& error) {
    throw input_error("no-permission", "", error.code().message()).in_file(path);
  }
}

}  // namespace quern::io
