#include "io/carry/copy_text.hpp"

#include "io/h5ad_write/anndata_elements.hpp"
#include "io/names/name_sources.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t texts_at_once = 4096;

}  // namespace

void copy_texts(CarryContext& context, NameSource& names, const Selection& rows, const OutputGroup& to, const std::string& name) {
  const std::int64_t n_rows = context.survey ? 0 : rows.n_kept(names.size());
  TextDataset out = make_texts(to, name, n_rows);
  std::vector<std::string> texts;
  SelectedBatches batches(rows, names.size(), texts_at_once);
  for (SelectedBatch batch; batches.next(batch); context.rest())
    for (RowRange rest = batch.read; rest.size() > 0;) {
      read_some(names, rest, texts);
      const SelectedBatch part = batch.within({rest.first, rest.first + static_cast<std::int64_t>(texts.size())});
      rest.first = part.read.last;
      constexpr std::int64_t reference_bytes = 16;
      for (const std::string& text : texts) context.bytes += static_cast<std::int64_t>(text.size()) + 2 * reference_bytes;
      if (context.survey) continue;
      keep_values(texts, part);
      out.append(texts);
    }
  out.finish();
}

namespace {

void write_scalar(const OutputGroup& to, const std::string& name, const char* encoding, hid_t type, const void* value) {
  const std::string path = object_path(to.object(), name);
  const SpaceHandle space(made(H5Screate(H5S_SCALAR), path, "make its space"));
  const PropertyHandle creation = dataset_properties();
  OutputDataset dataset(
      made(H5Dcreate2(to.get(), name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT), path, "create the dataset"),
      path);
  tag_element(dataset.get(), path, encoding, "0.2.0");
  done(H5Dwrite(dataset.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value), path, "write the value");
  dataset.close();
}

}  // namespace

void write_text(const OutputGroup& to, const std::string& name, const std::string& text) {
  const char* pointer = text.c_str();
  write_scalar(to, name, "string", variable_string().get(), static_cast<const void*>(&pointer));
}

OutputGroup make_dict(const OutputGroup& to, const std::string& name) {
  OutputGroup group = make_group(to, name);
  tag_element(group.get(), group.object(), "dict", "0.1.0");
  return group;
}

void write_number(const OutputGroup& to, const std::string& name, double number) {
  write_scalar(to, name, "numeric-scalar", file_type<double>(), &number);
}

void write_flag(const OutputGroup& to, const std::string& name, bool flag) {
  const std::int8_t stored = flag;
  write_scalar(to, name, "numeric-scalar", boolean().get(), &stored);
}

}  // namespace quern::io
