#include "io/carry/tenx_out.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "io/carry/feature_texts.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/h5ad_write/attributes.hpp"
#include "io/names/name_sources.hpp"
#include "io/names/utf8.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t cell_rangers_chunk = 65536, texts_in_a_chunk = 16384;

std::int64_t chunk_length(const TenxOutOptions& options) { return options.chunk_length > 0 ? options.chunk_length : cell_rangers_chunk; }

int n_parallel(const TenxOutOptions& options, const MemoryBudget& budget) {
  return SparseOut::affordable_parallel(sizeof(std::int32_t), options.compression, chunk_length(options), options.threads, budget);
}

SparseOutOptions sparse_options(const TenxOutOptions& options) {
  SparseOutOptions how{options.compression, chunk_length(options)};
  how.wide = true;
  return how;
}

}  // namespace

TenxOut::TenxOut(const OutputFile& to, const MatrixShape& shape, const TenxOutOptions& options, MemoryBudget& budget)
    : shape_(shape),
      options_(options),
      budget_(budget),
      group_(make_group(to, "matrix")),
      value_type_(element_type(file_type<std::int32_t>())) {
  out_ =
      std::make_unique<SparseOut>(group_, shape, file_type<std::int32_t>(), sparse_options(options), budget, n_parallel(options, budget));
}

std::size_t TenxOut::memory_bytes(const MatrixShape& shape, const TenxOutOptions& options, const MemoryBudget& budget) {
  const std::size_t each = SparseOut::bytes_each_parallel(sizeof(std::int32_t), options.compression, chunk_length(options));
  return static_cast<std::size_t>(n_parallel(options, budget)) * each + static_cast<std::size_t>(shape.n_rows + 1) * sizeof(std::int64_t);
}

void TenxOut::finish() { out_->finish(); }

void TenxOut::give_up() {
  out_->give_up();
  group_.close();
}

// Read twice: for the longest, then to write.
std::int64_t TenxOut::write_list(const OutputGroup& to, const std::string& name, NameSource& texts) {
  std::size_t longest = 1;
  std::int64_t n_encoded = 0;
  for_each_name(texts, [&](const std::string& text, std::int64_t) {
    const std::string plain = ascii_with_references(text);
    n_encoded += plain != text;
    longest = std::max(longest, plain.size());
  });
  const ChunkedShape shape{texts.size(), std::clamp<std::int64_t>(texts.size(), 1, texts_in_a_chunk)};
  const std::size_t chunk_bytes = static_cast<std::size_t>(shape.chunk_length) * longest;
  const Compression& how = options_.compression;
  const Claim claim = budget_.claim("arrays that are carried over", ChunkAppender::memory_bytes(chunk_bytes, how, 1));
  const TypeHandle type = fixed_string(longest);
  ChunkAppender out(ChunkedDataset(to.get(), to.object(), name, type.get(), shape, how), how, 1);
  std::vector<char> padded(longest);
  for_each_name(texts, [&](const std::string& text, std::int64_t) {
    const std::string plain = ascii_with_references(text);
    std::fill(padded.begin(), padded.end(), '\0');
    std::copy(plain.begin(), plain.end(), padded.begin());
    out.append(std::as_bytes(std::span<const char>(padded)));
  });
  out.finish();
  return n_encoded;
}

std::int64_t TenxOut::write_features(Input& input) {
  OutputGroup features = make_group(group_, "features");
  std::int64_t n_encoded = 0;
  std::vector<std::string> tags;
  for (FeatureTexts& list : feature_texts(input)) {
    SameText same(list.text, shape_.n_cols);
    n_encoded += write_list(features, list.tag, list.source ? *list.source : same);
    if (list.tag != "id" && list.tag != "name" && list.tag != "feature_type") tags.push_back(list.tag);
  }
  write_fixed_texts(features, "_all_tag_keys", tags);
  features.close();
  return n_encoded;
}

std::int64_t TenxOut::write_names(Input& input, const OutputFile& to) {
  std::int64_t n_encoded = write_list(group_, "barcodes", *input.row_names());
  n_encoded += write_features(input);
  if (std::max(shape_.n_rows, shape_.n_cols) <= std::numeric_limits<std::int32_t>::max())
    write_plain_array(
        group_, "shape",
        std::span<const std::int32_t>(std::array{static_cast<std::int32_t>(shape_.n_cols), static_cast<std::int32_t>(shape_.n_rows)}));
  else
    write_plain_array(group_, "shape", std::span<const std::int64_t>(std::array{shape_.n_cols, shape_.n_rows}));
  group_.close();
  write_attribute(to.id(), "", "filetype", std::string("matrix"));
  write_attribute(to.id(), "", "version", std::int64_t{2});
  write_attribute(to.id(), "", "chemistry_description", std::string("unknown"));
  write_attribute(to.id(), "", "library_ids", std::vector<std::string>{options_.library});
  write_attribute(to.id(), "", "original_gem_groups", std::span<const std::int64_t>(std::array<std::int64_t, 1>{1}));
  write_attribute(to.id(), "", "software_version", options_.writer);
  return n_encoded;
}

}  // namespace quern::io
