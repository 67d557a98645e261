// What a 10x file says of its features, from whatever input.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/input.hpp"

namespace quern::io {

// One list of texts of the kept features: read from the input, or the same text for all.
struct FeatureTexts {
  std::string tag;                     // "id", "name", "feature_type", "genome" ..., as Cell Ranger calls it
  std::unique_ptr<NameSource> source;  // null: all are `text`
  std::string text;
};

// id, name, feature_type, genome and what other tags of Cell Ranger the input has, in this order. `id` are the identifiers where there are
// some beside the names, else the names; feature_type is "Gene Expression" and genome empty where they are not told.
std::vector<FeatureTexts> feature_texts(Input& input);

}  // namespace quern::io
