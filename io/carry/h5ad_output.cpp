#include "io/carry/h5ad_output.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "host/core/error.hpp"
#include "io/h5ad/h5ad_file.hpp"
#include "io/source/row_pointers.hpp"
#include "io/tenx/tenx_file.hpp"

namespace quern::io {
namespace {

Error read_back_error(const std::string& what) {
  return output_error("write-failed", "", "the finished file is not what was written: " + what,
                      "the disk or its driver may be faulty; nothing was put in place");
}

FileInfo describe_tenx(const Hdf5File& file) { return file.is_group("/matrix") ? describe_tenx_v3(file) : describe_tenx_v2(file); }

}  // namespace

void require_free_space(const std::string& target, std::int64_t bytes) {
  struct statvfs disk {};
  const std::string folder = std::filesystem::absolute(target).parent_path().string();
  statvfs(folder.c_str(), &disk);
  if (disk.f_frsize == 0) return;  // it could not be told: writing will tell
  const auto free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  if (bytes < 0 || free_bytes >= static_cast<std::uint64_t>(bytes)) return;
  throw output_error(
      "disk-full", "",
      "the output needs about " + std::to_string((bytes >> 20) + 1) + " MiB, " + std::to_string(free_bytes >> 20) + " MiB are free there",
      "free some space or write to another folder")
      .in_file(target);
}

H5adOutput::H5adOutput(const std::string& target, const OutputOptions& options, std::int64_t bytes)
    : target_((require_free_space(resolve_output(target, options).path, bytes), target), options),
      file_(OutputFile::create(target_.path())) {}

void H5adOutput::start_over() {
  file_.close_objects();
  file_.close();
  file_ = OutputFile::create(target_.path());
}

void H5adOutput::commit(const ExpectedH5ad& expected) { commit(expected, describe_h5ad); }
void H5adOutput::commit_tenx(const ExpectedH5ad& expected) { commit(expected, describe_tenx); }

void H5adOutput::commit(const ExpectedH5ad& expected, Describe describe) {
  file_.close();
  read_back(expected, describe);
  struct stat info {};
  if (stat(target_.path().c_str(), &info) != 0)
    throw output_error("write-failed", "", std::string("could not look at the finished file: ") + std::strerror(errno));
  file_bytes_ = info.st_size;
  const auto start = std::chrono::steady_clock::now();
  target_.commit();
  sync_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void H5adOutput::read_back(const ExpectedH5ad& expected, Describe describe) const {
  try {
    const Hdf5File file(target_.path(), false, false);
    const FileInfo info = describe(file);
    if (!info.problems.empty()) throw read_back_error(info.problems.front().object + ": " + info.problems.front().text);
    if (info.n_obs != expected.n_obs || info.n_vars != expected.n_vars)
      throw read_back_error(std::to_string(info.n_obs) + " x " + std::to_string(info.n_vars) + " names");
    const bool has_x = !info.matrices.empty() && info.matrices.front().name == "X";
    if (has_x != expected.has_x) throw read_back_error(has_x ? "there is an X" : "X is missing");
    if (!has_x || info.matrices.front().storage == Storage::dense) return;
    MatrixInput input;
    input.file = file.id();
    input.path = file.path();
    input.matrix = info.matrices.front();
    if (input.matrix.storage == Storage::csc) std::swap(input.matrix.rows, input.matrix.cols);
    MemoryBudget plenty(std::size_t{1} << 62);  // the run's own buffers are gone by now
    RowPointers::read(input, plenty);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::input) throw read_back_error(error.object() + ": " + error.what());
    throw;
  }
}

}  // namespace quern::io
