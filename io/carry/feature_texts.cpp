#include "io/carry/feature_texts.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

namespace quern::io {
namespace {

// The first of `names` that is a column of text; null when there is none.
std::unique_ptr<NameSource> first_of(Input& input, const FrameInfo& frame, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = std::find_if(frame.columns.begin(), frame.columns.end(), [&](const ColumnInfo& c) { return c.name == name; });
    if (found != frame.columns.end()) return input.feature_column(name);
  }
  return nullptr;
}

}  // namespace

std::vector<FeatureTexts> feature_texts(Input& input) {
  const FrameInfo frame = input.features();
  std::vector<FeatureTexts> texts;
  auto ids = first_of(input, frame, {"id", "gene_ids"});
  // The index of such a table are the identifiers themselves.
  auto names = ids ? nullptr : first_of(input, frame, {"gene_symbols", "feature_name"});
  texts.push_back({"id", ids ? std::move(ids) : input.column_names(), {}});
  texts.push_back({"name", names ? std::move(names) : input.column_names(), {}});
  texts.push_back({"feature_type", first_of(input, frame, {"feature_type", "feature_types"}), "Gene Expression"});
  texts.push_back({"genome", first_of(input, frame, {"genome"}), ""});
  constexpr std::array<std::string_view, 7> used{"id",           "gene_ids",      "gene_symbols", "feature_name",
                                                 "feature_type", "feature_types", "genome"};
  for (const ColumnInfo& column : frame.columns)
    if (column.kind == "string" && std::find(used.begin(), used.end(), column.name) == used.end())
      texts.push_back({column.name, input.feature_column(column.name), {}});
  return texts;
}

}  // namespace quern::io
