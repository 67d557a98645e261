// Shorthands of the tests that open inputs.
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/core/error.hpp"
#include "io/input.hpp"

namespace quern::test {

inline std::unique_ptr<io::Input> open_input(const std::string& path, io::InputOptions options = {}) {
  options.depth = io::ProbeDepth::everything;
  return io::Input::open(path, options);
}

inline std::vector<std::string> all_of(std::unique_ptr<NameSource> names) {
  std::vector<std::string> out;
  names->read({0, names->size()}, out);
  return out;
}

// The error's code, "none" when nothing is thrown.
inline std::string code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

// What the error says; empty when there is none.
inline std::string text_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

inline std::string open_code(const std::string& path, const io::InputOptions& options = {}) {
  return code_of([&] { open_input(path, options); });
}

inline bool has_warning(const io::Input& input, const std::string& code) {
  for (const io::Warning& warning : input.warnings())
    if (warning.code == code) return true;
  return false;
}

inline bool has_problem(const io::FileInfo& info, const std::string& object, const std::string& code) {
  for (const io::Problem& problem : info.problems)
    if (problem.object.starts_with(object) && problem.code == code) return true;
  return false;
}

}  // namespace quern::test
