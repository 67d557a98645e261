// Stands in for host/cpu/dense_algebra.cpp in programs that are carried to a device and never multiply genes on the processor: the library
// behind it is larger than all the rest of them.
#include "host/cpu/dense_algebra.hpp"

#include <cstdlib>

namespace quern {

void multiply_transposed(const double*, const double*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, double*, std::int64_t) {
  std::abort();
}
void multiply_with_itself(const double*, std::int64_t, std::int64_t, std::int64_t, double*, std::int64_t) { std::abort(); }
std::size_t eigenpair_bytes(std::int64_t) { std::abort(); }
void find_largest_eigenpairs(std::span<double>, std::int64_t, std::span<double>, std::span<double>) { std::abort(); }
void project_out(std::span<const double>, std::span<double>, std::int64_t, std::span<double>) { std::abort(); }
std::vector<double> make_orthonormal(std::span<double>, std::int64_t, std::int64_t) { std::abort(); }
std::vector<double> multiply_triangles(std::span<const double>, std::span<const double>, std::int64_t) { std::abort(); }
void combine(std::span<const double>, std::span<const double>, std::int64_t, std::span<double>) { std::abort(); }

}  // namespace quern
