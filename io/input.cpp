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
  const auto walk = [&] {
    const auto input = open_hdf5_input(path, options, true);
    input->touch(options.depth);
    return input->storage_sizes();
  };
  const std::string sizes = run_in_probe(walk, probe_limits(std::filesystem::file_size(path)));
  auto input = open_hdf5_input(path, options, false);
  input->set_storage_sizes(sizes);
  return input;
}

}  // namespace

std::unique_ptr<Input> Input::open(const std::string& path, const InputOptions& options) {
  try {
    return open_checked(path, options);
  } catch (Error& error) {
    error.in_file(path);
    throw;
  } catch (const std::filesystem::filesystem_error& error) {
    const bool closed = error.code() == std::errc::permission_denied;
    throw input_error(closed ? "no-permission" : "unreadable", "", error.code().message()).in_file(path);
  }
}

}  // namespace quern::io
