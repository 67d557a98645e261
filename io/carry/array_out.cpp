#include "io/carry/array_out.hpp"

#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::io {

ArrayOut::ArrayOut(const OutputGroup& parent, const std::string& name, std::int64_t n_rows, std::int64_t n_cols, MemoryBudget& budget,
                   ValueType type)
    : rows_(parent, name, type == ValueType::f32 ? file_type<float>() : file_type<double>(), n_rows, {static_cast<hsize_t>(n_cols)},
            Compression{Packing::none, 0, false}, budget) {}

void ArrayOut::finish() {
  OutputDataset dataset = rows_.finish();
  tag_element(dataset.get(), dataset.object(), "array", "0.2.0");
  dataset.close();
}

}  // namespace quern::io
