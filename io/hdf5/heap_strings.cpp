#include "io/hdf5/heap_strings.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "host/core/error.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/names/text_limit.hpp"
#include "io/names/utf8.hpp"

namespace quern::io {
namespace {

constexpr std::size_t reference_bytes = 16, header_bytes = 16, object_header_bytes = 16;
// A collection is small unless it holds one large string alone.
constexpr std::uint64_t most_collection_bytes = most_single_text_bytes + (std::uint64_t{1} << 17);
constexpr std::size_t most_kept_bytes = std::size_t{1} << 22;
constexpr std::size_t batch_bytes = std::size_t{1} << 16;  // of references read at once
constexpr std::size_t most_chunk_bytes = std::size_t{1} << 25;

template <class T, class Byte>
T little(const Byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

std::int64_t size_of_file(const std::string& path) {
  struct stat found {};  // of size 0, when it cannot be reached
  stat(path.c_str(), &found);
  return found.st_size;
}

// Addresses and lengths of eight bytes, as all but very old or special files have them; the size of the user block, or -1.
std::int64_t usual_base(const Hdf5File& file) {
  const PropertyHandle properties(H5Fget_create_plist(file.id()));
  std::size_t address_bytes = 0, length_bytes = 0;  // a call that fails leaves these
  hsize_t user_block = HSIZE_UNDEF;
  H5Pget_sizes(properties.get(), &address_bytes, &length_bytes);
  H5Pget_userblock(properties.get(), &user_block);
  return address_bytes == 8 && length_bytes == 8 ? static_cast<std::int64_t>(user_block) : -1;
}

}  // namespace

GlobalHeap::GlobalHeap(const std::string& path, const std::string& object, std::int64_t base)
    : file_(path, object), object_(object), base_(base), file_bytes_(size_of_file(path)) {}

Error GlobalHeap::corrupt(const std::string& what) const {
  return input_error("corrupt-hdf5", object_, "a string lies " + what, "the file is damaged: copy or download it again");
}

std::span<const char> GlobalHeap::object(std::uint64_t address, std::uint32_t number) {
  const Collection& found = collection(address);
  const std::uint32_t start = number < found.starts.size() ? found.starts[number] : 0;
  if (start == 0) throw corrupt("nowhere in its collection");
  return {found.bytes.data() + start, static_cast<std::size_t>(little<std::uint64_t>(found.bytes.data() + start - 8))};
}

const GlobalHeap::Collection& GlobalHeap::collection(std::uint64_t address) {
  if (kept_[newest_].address == address) return kept_[newest_];
  for (std::size_t i = 0; i < kept_.size(); ++i)
    if (kept_[i].address == address) return kept_[newest_ = i];
  Collection& oldest = kept_[next_];
  oldest.address = UINT64_MAX;  // what a failure leaves behind is not found again
  load(address, oldest);
  oldest.address = address;
  newest_ = next_;
  next_ = (next_ + 1) % kept_.size();
  return oldest;
}

void GlobalHeap::load(std::uint64_t address, Collection& to) {
  const auto room = static_cast<std::uint64_t>(std::max<std::int64_t>(0, file_bytes_ - base_));
  if (address > room || room - address < header_bytes) throw corrupt("beyond the end of the file");
  std::array<char, header_bytes> header{};
  const std::int64_t offset = base_ + static_cast<std::int64_t>(address);
  file_.read(offset, std::as_writable_bytes(std::span(header)));
  const auto bytes = little<std::uint64_t>(header.data() + 8);
  if (std::memcmp(header.data(), "GCOL\1", 5) != 0) throw corrupt("where no strings are");
  if (bytes < header_bytes || bytes > room - address) throw corrupt("in a collection of impossible size");
  if (bytes > most_collection_bytes) throw_text_too_long(object_, 1);
  make_room(static_cast<std::size_t>(bytes));
  to.bytes.resize(static_cast<std::size_t>(bytes));
  file_.read(offset, std::as_writable_bytes(std::span(to.bytes)));
  to.starts.clear();
  for (std::uint64_t at = header_bytes; bytes - at >= object_header_bytes;) {
    const auto number = little<std::uint16_t>(to.bytes.data() + at);
    if (number == 0) break;  // what is left is free
    const auto size = little<std::uint64_t>(to.bytes.data() + at + 8);
    at += object_header_bytes;
    if (size > bytes - at) throw corrupt("across the end of its collection");
    if (number >= to.starts.size()) to.starts.resize(number + std::size_t{1});
    to.starts[number] = static_cast<std::uint32_t>(at);
    at = std::min(bytes, at + (size + 7) / 8 * 8);
  }
}

void GlobalHeap::make_room(std::size_t bytes) {
  std::size_t kept = bytes;
  for (const Collection& collection : kept_) kept += collection.bytes.capacity();
  if (kept > most_kept_bytes)
    for (Collection& collection : kept_) collection = {};
}

std::optional<HeapStrings::Place> HeapStrings::place(const Dataset& dataset) {
  const PropertyHandle properties(H5Dget_create_plist(dataset.id.get()));
  if (H5Pget_external_count(properties.get()) != 0) return std::nullopt;  // -1: there are no properties
  Place found;
  const H5D_layout_t layout = H5Pget_layout(properties.get());
  if (layout == H5D_CONTIGUOUS) {
    const haddr_t address = H5Dget_offset(dataset.id.get());
    if (H5Dget_storage_size(dataset.id.get()) / reference_bytes != static_cast<hsize_t>(dataset.dims[0]))
      return std::nullopt;  // 0: none yet
    found.contiguous_offset = static_cast<std::int64_t>(address);
    return found;
  }
  hsize_t length = 0;  // stays so when it has no chunks
  H5Pget_chunk(properties.get(), 1, &length);
  if (length == 0 || length > most_chunk_bytes / reference_bytes) return std::nullopt;
  found.chunk_length = static_cast<std::int64_t>(length);
  found.filters = read_filter_steps(properties.get(), dataset.path);
  found.filters.element_bytes = reference_bytes;
  found.filters.chunk_bytes = reference_bytes * static_cast<std::size_t>(length);
  if (found.filters.steps.empty()) refuse_other_sizes(dataset.id.get(), found.filters.chunk_bytes, dataset.path);
  return can_decode(found.filters) ? std::optional(found) : std::nullopt;
}

std::unique_ptr<HeapStrings> HeapStrings::open(const Hdf5File& file, const Dataset& dataset) {
  if (!dataset.element.variable_length || dataset.dims.size() != 1 || dataset.is_null) return nullptr;
  const std::int64_t base = usual_base(file);
  if (base < 0) return nullptr;
  auto place = HeapStrings::place(dataset);
  if (!place) return nullptr;
  return std::unique_ptr<HeapStrings>(new HeapStrings(dataset, std::move(*place), file.path(), base));
}

HeapStrings::HeapStrings(const Dataset& dataset, Place place, const std::string& path, std::int64_t base)
    : dataset_(dataset.id.get()), where_(dataset.path), place_(std::move(place)), heap_(path, dataset.path, base) {
  if (place_.chunk_length > 0) decoder_ = std::make_unique<ChunkDecoder>(place_.filters);
}

void HeapStrings::load_chunk(std::int64_t index) {
  if (index == chunk_index_) return;
  chunk_index_ = -1;
  const hsize_t first = static_cast<hsize_t>(index * place_.chunk_length);
  buffer_.resize(place_.filters.chunk_bytes);
  stored_.resize(stored_chunk_bytes(dataset_, {&first, 1}, where_));
  if (stored_.empty()) {
    std::fill(buffer_.begin(), buffer_.end(), std::byte{0});  // references to nothing: empty strings
  } else {
    const std::uint32_t mask = read_stored_chunk(dataset_, {&first, 1}, stored_, where_);
    decoder_->decode(stored_, mask, buffer_, where_);
  }
  chunk_index_ = index;
}

std::span<const std::byte> HeapStrings::references(std::int64_t first, std::int64_t count) {
  std::size_t begin = 0;
  if (place_.chunk_length > 0) {
    load_chunk(first / place_.chunk_length);
    begin = static_cast<std::size_t>(first % place_.chunk_length);
  } else {
    buffer_.resize(std::min(batch_bytes, reference_bytes * static_cast<std::size_t>(count)));
    heap_.file().read(place_.contiguous_offset + first * static_cast<std::int64_t>(reference_bytes), buffer_);
  }
  const auto all = std::span<const std::byte>(buffer_).subspan(reference_bytes * begin);
  return all.first(std::min(all.size(), reference_bytes * static_cast<std::size_t>(count)));
}

void HeapStrings::read(RowRange range, std::vector<std::string>& out) {
  out.resize(static_cast<std::size_t>(range.size()));
  TextLimit limit(where_, out.size());
  std::size_t filled = 0;
  while (filled < out.size()) {
    auto left = references(range.first + static_cast<std::int64_t>(filled), static_cast<std::int64_t>(out.size() - filled));
    for (; !left.empty(); left = left.subspan(reference_bytes), ++filled) {
      const auto length = little<std::uint32_t>(left.data());
      const auto address = little<std::uint64_t>(left.data() + 4);
      if (length == 0 || address == 0) {
        out[filled].clear();
        continue;
      }
      const std::span<const char> text = heap_.object(address, little<std::uint32_t>(left.data() + 12));
      if (length > text.size()) throw input_error("corrupt-hdf5", where_, "a string is longer than what is stored of it");
      limit.add(length);
      out[filled] = lenient_utf8({text.data(), strnlen(text.data(), length)});
    }
  }
}

}  // namespace quern::io
