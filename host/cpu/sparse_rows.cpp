// One source, compiled for every vector width and chosen at run time. Every column of B has its lane and its sum, so that every width gives
// the same bits; products are fused into sums only where they are exact.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/cpu/sparse_rows.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <utility>

#include "host/core/processor.hpp"
#include "host/cpu/sparse_rows.hpp"

HWY_BEFORE_NAMESPACE();
namespace quern {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, 8>;
using Vector = hn::Vec<Doubles>;
constexpr std::size_t lanes = hn::MaxLanes(Doubles());

constexpr std::int32_t rows_at_once = 1024;
constexpr std::size_t warm_bytes = std::size_t{1} << 20;    // sums that stay near
constexpr std::int32_t entries_ahead = 12, rows_ahead = 2;  // what is fetched before it is needed
constexpr int lines_ahead = 4;                              // of a row's columns, and of its values
constexpr std::size_t line_doubles = 8;
constexpr double least_entries = 8;  // of a row that are worth a look at its cursor

struct RowSpan {
  std::int32_t first, n;
};

// Vectors of sums that are kept in registers: 64 columns of AVX-512, 32 of AVX2, 8 of SSE2.
constexpr std::size_t most_vectors = lanes >= 4 ? 8 : 4;

HWY_INLINE Vector load(const double* at) { return hn::LoadU(Doubles(), at); }
HWY_INLINE Vector load(const float* at) { return hn::PromoteTo(Doubles(), hn::LoadU(hn::Rebind<float, Doubles>(), at)); }

// sum + x * b. Products of two floats are exact in double.
template <bool Exact>
HWY_INLINE Vector add_product(Vector x, Vector b, Vector sum) {
  if constexpr (Exact)
    return hn::MulAdd(x, b, sum);
  else
    return hn::Add(sum, hn::Mul(x, b));
}

// The first n of the N vectors' lanes.
template <std::size_t N>
HWY_INLINE void store_some(const std::array<Vector, N>& vectors, double* to, std::size_t n) {
  if (n >= N * lanes) {
    for (std::size_t v = 0; v < N; ++v) hn::StoreU(vectors[v], Doubles(), to + v * lanes);
    return;
  }
  HWY_ALIGN std::array<double, N * lanes> all;
  for (std::size_t v = 0; v < N; ++v) hn::StoreU(vectors[v], Doubles(), all.data() + v * lanes);
  std::copy_n(all.data(), n, to);
}

template <class V, class B>
struct Rows {
  using Value = V;
  using Dense = B;
  static constexpr bool exact = std::is_same_v<V, float> && std::is_same_v<B, float>;
  const CsrChunkView<MemorySpace::host>& chunk;
  const std::uint32_t* columns = chunk.columns;
  const V* values = chunk.values_as<V>();
  const B* b;
  std::size_t width;  // columns of B
};

// Every NaN is the same, since processors make different ones.
HWY_INLINE Vector same_nan(Vector sum) {
  return hn::IfThenElse(hn::IsNaN(sum), hn::Set(Doubles(), std::numeric_limits<double>::quiet_NaN()), sum);
}

// N vectors of columns, from `column` on, of each row of the chunk.
template <std::size_t N, class R>
void multiply_columns(const R& rows, std::size_t column, double* out) {
  const std::size_t n = std::min(N * lanes, rows.width - column);
  const auto* const b = rows.b + column;
  for (std::int32_t r = 0; r < rows.chunk.n_rows; ++r) {
    std::array<Vector, N> sums;
    for (auto& sum : sums) sum = hn::Zero(Doubles());
    for (std::int32_t i = rows.chunk.offsets[r]; i < rows.chunk.offsets[r + 1]; ++i) {
      const Vector x = hn::Set(Doubles(), static_cast<double>(rows.values[i]));
      const auto* const b_row = b + rows.columns[i] * rows.width;
      for (std::size_t v = 0; v < N; ++v) sums[v] = add_product<R::exact>(x, load(b_row + v * lanes), sums[v]);
    }
    for (auto& sum : sums) sum = same_nan(sum);
    store_some(sums, out + static_cast<std::size_t>(r) * rows.width + column, n);
  }
}

// Sums that will be added to.
template <std::size_t N>
HWY_INLINE void prefetch(const double* sums) {
  for (std::size_t v = 0; v < N; v += std::max<std::size_t>(1, line_doubles / lanes)) __builtin_prefetch(sums + v * lanes, 1);
}
// The entries of a row that comes soon.
template <class R>
HWY_INLINE void prefetch_entries(const R& rows, std::int32_t at) {
  for (int line = 0; line < lines_ahead; ++line) {
    __builtin_prefetch(reinterpret_cast<const char*>(rows.columns + at) + 64 * line);
    __builtin_prefetch(reinterpret_cast<const char*>(rows.values + at) + 64 * line);
  }
}

// The entries from `at` on whose columns are below `last`, times N vectors of columns of their row of B. Returns where they end.
template <std::size_t N, class R>
HWY_INLINE std::int32_t add_row(const R& rows, std::int32_t at, std::int32_t end, std::uint32_t last, const typename R::Dense* b_row,
                                const SumsView& sums) {
  std::array<Vector, N> b;
  for (std::size_t v = 0; v < N; ++v) b[v] = load(b_row + v * lanes);
  const std::uint32_t* const HWY_RESTRICT columns = rows.columns;  // in registers: stores of vectors might change anything else
  const auto* const HWY_RESTRICT values = rows.values;
  double* const to_all = sums.values;
  const std::size_t stride = sums.stride;
  for (; at < end && columns[at] < last; ++at) {
    prefetch<N>(to_all + columns[std::min(at + entries_ahead, end - 1)] * stride);
    const Vector x = hn::Set(Doubles(), static_cast<double>(values[at]));
    double* const to = to_all + columns[at] * stride;
    for (std::size_t v = 0; v < N; ++v) hn::StoreU(add_product<R::exact>(x, b[v], load(to + v * lanes)), Doubles(), to + v * lanes);
  }
  return at;
}

// Some neighbouring rows, the genes of the range in steps whose sums stay in a cache; each row has a cursor.
template <std::size_t N, class R>
void add_rows(const R& rows, RowSpan span, GeneRange range, std::uint32_t step, std::size_t column, const SumsView& sums) {
  std::array<std::int32_t, rows_at_once> cursors;
  const std::int32_t* const offsets = rows.chunk.offsets + span.first;
  for (std::int32_t r = 0; r < span.n; ++r)
    cursors[static_cast<std::size_t>(r)] =
        static_cast<std::int32_t>(std::lower_bound(rows.columns + offsets[r], rows.columns + offsets[r + 1], range.first) - rows.columns);
  for (std::uint32_t last = range.first; last < range.last;) {
    last = step < range.last - last ? last + step : range.last;
    for (std::int32_t r = 0; r < span.n; ++r) {
      prefetch_entries(rows, cursors[static_cast<std::size_t>(std::min(r + rows_ahead, span.n - 1))]);
      std::int32_t& cursor = cursors[static_cast<std::size_t>(r)];
      if (cursor == offsets[r + 1] || rows.columns[cursor] >= last) continue;
      const auto* const b_row = rows.b + static_cast<std::size_t>(rows.chunk.first_row + span.first + r) * rows.width + column;
      cursor = add_row<N>(rows, cursor, offsets[r + 1], last, b_row, sums);
    }
  }
}

// Calls use(number of vectors, column) until all columns are done. The last vector may reach beyond the last column.
template <class Use, std::size_t... I>
HWY_INLINE void for_each_tile(std::size_t width, const Use& use, std::index_sequence<I...>) {
  for (std::size_t column = 0; column < width; column += most_vectors * lanes) {
    const std::size_t n_vectors = std::min(most_vectors, (width - column + lanes - 1) / lanes);
    ((n_vectors == I + 1 ? use(std::integral_constant<std::size_t, I + 1>(), column) : void()), ...);
  }
}
template <class Use>
HWY_INLINE void for_each_tile(std::size_t width, const Use& use) {
  for_each_tile(width, use, std::make_index_sequence<most_vectors>());
}

// Calls use(Rows) with the types of the values and of B.
template <class Use>
void with_types(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, const Use& use) {
  const auto with_b = [&]<class V, class B>(const V*, const B* values) {
    use(Rows<V, B>{.chunk = chunk, .b = values, .width = static_cast<std::size_t>(b.n_cols)});
  };
  const auto with_value = [&]<class V>(const V* none) {
    if (b.type == ValueType::f32)
      with_b(none, static_cast<const float*>(b.values));
    else
      with_b(none, static_cast<const double*>(b.values));
  };
  if (chunk.value_type == ValueType::f32)
    with_value(static_cast<const float*>(nullptr));
  else
    with_value(static_cast<const double*>(nullptr));
}

void multiply(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, double* out) {
  with_types(chunk, b, [&](const auto& rows) {
    for_each_tile(rows.width, [&](auto n, std::size_t column) { multiply_columns<n>(rows, column, out); });
  });
}

// Wider steps where rows have so few entries that most would have none in a step.
std::uint32_t genes_in_step(const CsrChunkView<MemorySpace::host>& chunk, std::size_t stride) {
  const double warm = static_cast<double>(warm_bytes) / static_cast<double>(stride * sizeof(double));
  const double entries = std::max(1.0, static_cast<double>(chunk.nnz()) / std::max(1, chunk.n_rows));
  return static_cast<std::uint32_t>(std::max(warm, least_entries / entries * static_cast<double>(chunk.n_cols)));
}

void add(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, ColumnRange columns, GeneRange range, const SumsView& sums) {
  const std::uint32_t step = genes_in_step(chunk, sums.stride);
  with_types(chunk, b, [&](const auto& rows) {
    for (std::int32_t first = 0; first < chunk.n_rows; first += rows_at_once) {
      const RowSpan span{first, std::min(chunk.n_rows - first, rows_at_once)};
      for_each_tile(columns.n, [&](auto n, std::size_t column) {
        add_rows<n>(rows, span, range, step, columns.first + column, {sums.values + column, sums.stride});
      });
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace quern
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quern {
namespace {

std::vector<SparseRowsTarget> find_targets() {
  return usable_targets(&SparseRowsTarget::multiply, {"AVX-512", HWY_CHOOSE_AVX3(multiply), HWY_CHOOSE_AVX3(add)},
                        {"AVX2", HWY_CHOOSE_AVX2(multiply), HWY_CHOOSE_AVX2(add)},
                        {"baseline", &HWY_STATIC_DISPATCH(multiply), &HWY_STATIC_DISPATCH(add)});
}

const SparseRowsTarget& widest() {
  static const SparseRowsTarget target = sparse_rows_targets().front();
  return target;
}

}  // namespace

const std::vector<SparseRowsTarget>& sparse_rows_targets() {
  static const std::vector<SparseRowsTarget> targets = find_targets();
  return targets;
}

void multiply_rows(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, double* out) { widest().multiply(chunk, b, out); }
void add_to_genes(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, ColumnRange columns, GeneRange range,
                  const SumsView& sums) {
  widest().add(chunk, b, columns, range, sums);
}

}  // namespace quern
#endif
