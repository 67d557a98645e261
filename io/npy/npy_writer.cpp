#include "io/npy/npy_writer.hpp"

#include <unistd.h>

#include <bit>
#include <cerrno>
#include <functional>
#include <numeric>
#include <utility>

#include "host/core/error.hpp"
#include "io/carry/h5ad_output.hpp"
#include "io/file_errors.hpp"

namespace quern::io {

static_assert(std::endian::native == std::endian::little, "values are written as they are in memory");

NpyWriter::NpyWriter(const std::string& target, const OutputOptions& options, ValueType type, std::vector<std::int64_t> shape)
    : target_(target),
      file_(target, options),
      type_(type),
      shape_(std::move(shape)),
      data_bytes_(std::accumulate(shape_.begin(), shape_.end(), static_cast<std::int64_t>(size_of(type)), std::multiplies<>())) {
  require_free_space(target_, data_bytes_);
  write_head();
}

void NpyWriter::write_head() {
  const std::string head = npy_head(type_, shape_);
  head_bytes_ = static_cast<std::int64_t>(head.size());
  write_all(file_.descriptor(), head, target_);
}

void NpyWriter::append(std::span<const float> values) { append_bytes(std::as_bytes(values), ValueType::f32); }
void NpyWriter::append(std::span<const double> values) { append_bytes(std::as_bytes(values), ValueType::f64); }

void NpyWriter::append_bytes(std::span<const std::byte> bytes, ValueType type) {
  if (type != type_) throw Error(ErrorKind::internal, "wrong-length", target_, "values of another type than announced");
  written_ += static_cast<std::int64_t>(bytes.size());
  write_all(file_.descriptor(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, target_);
}

void NpyWriter::restart() {
  if (ftruncate(file_.descriptor(), 0) != 0 || lseek(file_.descriptor(), 0, SEEK_SET) != 0)
    throw write_error(target_, "start the file again", errno);
  written_ = 0;
  write_head();
}

void NpyWriter::commit() {
  if (written_ != data_bytes_)
    throw Error(ErrorKind::internal, "wrong-length", target_,
                std::to_string(written_) + " bytes of values were written, " + std::to_string(data_bytes_) + " announced");
  file_.commit();
}

}  // namespace quern::io
