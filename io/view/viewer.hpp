// An input opened to be looked at: its elements by the names people use.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/hdf5/file.hpp"
#include "io/opened_input.hpp"
#include "io/view/element.hpp"

namespace quern::io {

// Names of objects: X, raw, layers/K, genome/NAME (or a genome's bare name); obs, var, raw/var, and one column of them by obs/NAME;
// whatever else the file holds, by its path. Errors name the file. Elements are valid as long as the viewer.
class Viewer {
 public:
  // `object` is the one that will be opened. Reads metadata without a probe.
  Viewer(const std::string& path, InputOptions options, const std::string& object);

  const FileInfo& info() const { return input_->info(); }
  const std::string& path() const { return path_; }
  const InputOptions& options() const { return options_; }
  // What is worth telling of the file and of what was opened, its axes included.
  std::vector<Warning> warnings() const;
  std::vector<std::string> objects() const;  // names that open() may be asked for, but for those inside uns
  // Throws input_error: "no-such-matrix", "missing-object", and what the readers throw.
  Element open() { return open(object_); }
  // Any other object, but no other matrix of cells and genes.
  Element open(const std::string& object);
  // Every matrix of cells and genes, with all features.
  std::vector<MatrixInput> matrices();
  // Of a matrix of this file: looks its stored chunks up, for the probe.
  void touch(const MatrixInfo& matrix) const;
  std::optional<Hdf5File>& file() { return file_; }  // empty: a matrix directory

 private:
  Element open_named(const std::string& object);
  Element open_input_matrix();
  Element open_frame_of(const FrameInfo& frame, const std::string& column);
  FrameInfo frame_of(const MatrixInfo& matrix, bool is_obs) const;
  void warn_of_columns(const Element& table);
  Element open_any(const std::string& object);
  void name_axes(Element& element, const std::string& object) const;
  Axis obs_axis() const;
  Axis var_axis() const;

  std::string path_, object_;
  InputOptions options_;
  std::unique_ptr<OpenedInput> input_;
  std::optional<Hdf5File> file_;
  std::vector<Warning> warnings_;
};

// Runs `work` on a viewer in a forked child when the file is HDF5 (see hdf5/probe.hpp) and returns its result; what it throws is thrown
// here. A matrix directory needs no such care: `work` is not called, the result is empty.
std::string view_in_probe(const std::string& path, const InputOptions& options, const std::string& object,
                          const std::function<std::string(Viewer&)>& work);

}  // namespace quern::io
