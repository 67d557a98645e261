// An h5ad on its way out: beside its target under another name, checked, then renamed.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/file.hpp"
#include "io/safe_file.hpp"

namespace quern::io {

// What the finished file must say of itself.
struct ExpectedH5ad {
  std::int64_t n_obs = 0, n_vars = 0;
  bool has_x = true;
};

class H5adOutput {
 public:
  // Throws what SafeFile throws, and output_error("disk-full") when the disk has not `bytes` left.
  H5adOutput(const std::string& target, const OutputOptions& options, std::int64_t bytes);
  const OutputFile& file() const { return file_; }
  // Empties the file; what is open in it is closed, and may not be used again.
  void start_over();
  const std::vector<Warning>& warnings() const { return target_.warnings(); }
  // Everything in the file has been closed. Flushes, closes, opens it again and looks whether it is what was expected, syncs, renames.
  // Throws output_error; the target is then as it was.
  void commit(const ExpectedH5ad& expected);
  void commit_tenx(const ExpectedH5ad& expected);          // the same of a 10x file
  std::int64_t file_bytes() const { return file_bytes_; }  // after commit
  double sync_seconds() const { return sync_seconds_; }    // that bringing the file to disk and renaming it took

 private:
  using Describe = FileInfo (*)(const Hdf5File&);
  void commit(const ExpectedH5ad& expected, Describe describe);
  void read_back(const ExpectedH5ad& expected, Describe describe) const;
  SafeFile target_;
  OutputFile file_;
  std::int64_t file_bytes_ = 0;
  double sync_seconds_ = 0;
};

// Throws output_error("disk-full") when the folder of `target` has less than `bytes` left.
void require_free_space(const std::string& target, std::int64_t bytes);

}  // namespace quern::io
