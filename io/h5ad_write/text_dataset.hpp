// Datasets of variable-length UTF-8 strings, written in blocks.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/h5ad_write/output_file.hpp"

namespace quern::io {

// Contiguous, as anndata writes them. Serial.
class TextDataset {
 public:
  TextDataset(hid_t parent, const std::string& parent_path, const std::string& name, std::int64_t length);
  hid_t id() const { return dataset_.get(); }
  const std::string& path() const { return dataset_.object(); }
  void append(std::span<const std::string> texts);
  // Throws internal error when fewer or more texts than the length were appended.
  void finish();

 private:
  std::int64_t length_, written_ = 0;
  OutputDataset dataset_;
  std::vector<const char*> pointers_;  // reused
};

}  // namespace quern::io
