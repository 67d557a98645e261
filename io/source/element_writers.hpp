// Where the elements of index, row pointer and value arrays go: converted, or decoded in place where they are stored as a slot holds them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "io/decode/convert.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/source/element_stream.hpp"

namespace quern::io {

class ColumnWriter final : public ElementWriter {
 public:
  ColumnWriter(const StoredType& type, std::uint32_t* out) : type_(type), out_(out), direct_(is_column_type(type)) {}
  std::byte* direct(std::size_t at) override { return direct_ ? reinterpret_cast<std::byte*>(out_ + at) : nullptr; }
  void put(const std::byte* raw, std::size_t n, std::size_t at) override {
    if (direct_)
      std::copy_n(raw, n * sizeof(std::uint32_t), reinterpret_cast<std::byte*>(out_ + at));
    else
      convert_columns(type_, raw, n, out_ + at);
  }

 private:
  const StoredType& type_;
  std::uint32_t* out_;
  bool direct_;
};

class OffsetWriter final : public ElementWriter {
 public:
  OffsetWriter(const StoredType& type, std::int64_t* out) : type_(type), out_(out) {}
  std::byte* direct(std::size_t) override { return nullptr; }
  void put(const std::byte* raw, std::size_t n, std::size_t at) override { convert_offsets(type_, raw, n, out_ + at); }

 private:
  const StoredType& type_;
  std::int64_t* out_;
};

class ValueWriter final : public ElementWriter {
 public:
  ValueWriter(const RawDataset& values, ValueType value, std::byte* out)
      : values_(values), value_(value), out_(out), direct_(is_value_type(values.type(), value)) {}
  std::byte* direct(std::size_t at) override { return direct_ ? out_ + at * size_of(value_) : nullptr; }
  void put(const std::byte* raw, std::size_t n, std::size_t at) override {
    if (direct_)
      std::copy_n(raw, n * size_of(value_), out_ + at * size_of(value_));
    else
      convert_values(values_.type(), raw, n, value_, out_ + at * size_of(value_), values_.path());
  }

 private:
  const RawDataset& values_;
  ValueType value_;
  std::byte* out_;
  bool direct_;
};

}  // namespace quern::io
