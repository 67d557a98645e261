// What every verb that writes an h5ad does the same way.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/session.hpp"
#include "host/core/memory.hpp"
#include "io/carry/carry_over.hpp"
#include "io/carry/h5ad_output.hpp"
#include "io/h5ad_write/compression.hpp"
#include "io/input.hpp"
#include "io/input_stamps.hpp"

namespace quern::cli {

using Parameters = std::vector<std::pair<std::string, std::string>>;  // that decide about the result, in order

// Says who needs what to read the output, where that is not everybody ("few-readers").
void warn_of_compression(const io::Compression& compression, Session& session);

class H5adWriting {
 public:
  // Before the input is opened: refuses targets that cannot be, remembers what the inputs look like.
  // usage_error "stdout-output", "unknown-extension", and what io::resolve_output throws.
  // `any_name`: also one that does not end in .h5ad.
  H5adWriting(std::string target, bool provenance, Session& session, bool any_name = false);
  // How deep the input is to be probed.
  static constexpr io::ProbeDepth depth = io::ProbeDepth::features;
  // While the process has one thread: surveys the input (which stays open until after write), then opens the output. A dry run stops
  // after the survey. Matrices of the input that are broken are refused, as their reader would (X only where it is carried over: write).
  // `extra_bytes`: what will be written besides all the input holds; all that is written, unless `carries_all`.
  void open(io::Input& input, std::int64_t extra_bytes, bool carries_all = true);
  // For what is streamed before write(): the file, and the input as carry-over reads it (null: no h5ad).
  const io::OutputFile& file() const { return output_->file(); }
  const io::Hdf5File* from() const { return from_.get(); }
  // Runs `work` that writes to file(); errors of output are given the target's name.
  template <class Work>
  void stream(Work work) {
    try {
      work();
    } catch (Error& error) {
      if (error.kind() == ErrorKind::output) error.in_file(target_);
      throw;
    }
  }
  // Empties the file; what is open in it is closed, and may not be used again.
  void start_over() { output_->start_over(); }
  // Carries the input over with what `options` adds, writes the provenance, commits. `expected.n_obs` and `n_vars` are those of the result.
  void write(io::CarryOptions options, const io::ExpectedH5ad& expected, const Parameters& parameters, const std::string& digest,
             MemoryBudget& budget);

  // The same of an output that is no copy of the input: write_all(add_uns) writes it and calls add_uns(uns, copy) while uns is open, and
  // returns warnings.
  using AddUns = std::function<void(const io::OutputGroup& uns, const io::CopyElement& copy)>;
  void write_by(const std::function<std::vector<io::Warning>(const AddUns& add_uns)>& write_all, const io::ExpectedH5ad& expected,
                const Parameters& parameters, const std::string& digest);

  const std::string& target() const { return target_; }
  std::int64_t file_bytes() const { return output_->file_bytes(); }  // after write
  double sync_seconds() const { return output_->sync_seconds(); }    // likewise
  std::int64_t bytes_planned() const { return bytes_planned_; }
  // What write() claims at most, for an output of so many rows and columns: roughly, rather too much.
  std::size_t carry_bytes(std::int64_t n_obs, std::int64_t n_vars) const;

 private:
  std::string target_;
  bool provenance_;
  Session& session_;
  io::InputStamps stamps_;
  std::int64_t bytes_planned_ = 0, largest_piece_ = 0;
  io::Input* input_ = nullptr;
  std::unique_ptr<io::Hdf5File> from_;  // of an h5ad
  std::unique_ptr<io::H5adOutput> output_;
};

}  // namespace quern::cli
