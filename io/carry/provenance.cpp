#include "io/carry/provenance.hpp"

#include "io/carry/copy_text.hpp"
#include "io/h5ad_write/attributes.hpp"

namespace quern::io {
namespace {

constexpr const char* source = "/uns/quern";

void write_texts_of(const OutputGroup& parent, const std::string& name, const std::vector<std::pair<std::string, std::string>>& texts) {
  OutputGroup group = make_dict(parent, name);
  for (const auto& [key, text] : texts) write_text(group, key, text);
  group.close();
}

void carry_history(const OutputGroup& quern, const Hdf5File& from, const CopyElement& copy) {
  if (!from.is_group(source)) return;
  OutputGroup history = make_dict(quern, "history");
  const std::string earlier = std::string(source) + "/history";
  const std::vector<std::string> runs = from.children(earlier);
  for (const std::string& run : runs) copy(join_path(earlier, run), history, run);
  OutputGroup last = make_dict(history, std::to_string(runs.size() + 1));
  for (const std::string& child : from.children(source))
    if (child != "history") copy(join_path(source, child), last, child);
  last.close();
  history.close();
}

}  // namespace

void write_provenance(const OutputGroup& uns, const Provenance& provenance, const Hdf5File* from, const CopyElement& copy) {
  OutputGroup quern = make_dict(uns, "quern");
  write_text(quern, "version", provenance.version);
  write_text(quern, "command", provenance.command);
  write_text(quern, "input", provenance.input);
  write_text(quern, "digest", provenance.digest);
  write_texts_of(quern, "parameters", provenance.parameters);
  if (from != nullptr) carry_history(quern, *from, copy);
  quern.close();
}

}  // namespace quern::io
