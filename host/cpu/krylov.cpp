#include "host/cpu/krylov.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "host/cpu/dense_algebra.hpp"
#include "host/ops/components.hpp"
#include "host/ops/gram.hpp"

namespace quern {
namespace {

constexpr double enough = 1e-6;
// Before the space begins again from its best vectors.
std::int64_t most_steps(const KrylovPlan& plan) { return std::clamp<std::int64_t>(plan.n_genes / plan.width, 1, 12); }

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

// Vectors lie one after the other (columns first, to LAPACK), blocks for `multiply` gene after gene.
class Krylov {
 public:
  Krylov(const KrylovPlan& plan, const MultiplyBlock& multiply, const RowMoments& moments, MemoryBudget& budget)
      : n_(plan.n_genes),
        width_(plan.width),
        wanted_(plan.n),
        most_steps_(most_steps(plan)),
        multiply_(multiply),
        moments_(moments),
        claim_(budget.claim("vectors of many genes", plan.bytes())),
        basis_(size(n_ * width_ * most_steps_)),
        next_(size(n_ * width_)),
        block_(size(n_ * width_)),
        out_(size(n_ * width_)) {
    std::mt19937_64 random(0);
    for (double& value : next_) value = static_cast<double>(random() >> 11) * 0x1p-53 - 0.5;
  }

  KrylovResult run(int most_passes) {
    KrylovResult result;
    while (result.passes < most_passes) {
      if (steps_ == most_steps_) begin_again();
      extend();
      ++result.passes;
      result.residual = solve();
      if (result.residual <= enough) break;
    }
    result.components = components();
    return result;
  }

 private:
  std::int64_t n_vectors() const { return steps_ * width_; }
  std::span<double> basis(std::int64_t first, std::int64_t count) { return std::span(basis_).subspan(size(first * n_), size(count * n_)); }

  // Takes what is along the basis out of next_; what is left becomes orthonormal. Returns the triangle that leads back to it.
  std::vector<double> orthonormalize(std::vector<double>* along) {
    std::vector<double> triangle(size(width_ * width_));
    for (int again = 0; again < 2; ++again) {
      std::vector<double> part(size(n_vectors() * width_));
      if (!part.empty()) project_out(basis(0, n_vectors()), next_, n_, part);
      if (again == 0 && along) *along = part;
      std::vector<double> turned = make_orthonormal(next_, n_, width_);
      triangle = again == 0 ? std::move(turned) : multiply_triangles(turned, triangle, width_);
    }
    return triangle;
  }

  // A step: next_ joins the basis, and the matrix times it becomes the new next_.
  void extend() {
    if (steps_ == 0) orthonormalize(nullptr);
    std::copy(next_.begin(), next_.end(), basis(n_vectors(), width_).begin());
    ++steps_;
    apply();
    std::vector<double> along;
    last_triangle_ = orthonormalize(&along);
    const std::int64_t rows = n_vectors();
    std::vector<double> wider(size(rows * rows));  // symmetric: the new columns stand below, too
    for (std::int64_t c = 0; c < rows - width_; ++c)
      std::copy_n(small_.begin() + c * (rows - width_), rows - width_, wider.begin() + c * rows);
    for (std::int64_t c = 0; c < width_; ++c)
      for (std::int64_t r = 0; r < rows; ++r)
        wider[size((rows - width_ + c) * rows + r)] = wider[size(r * rows + rows - width_ + c)] = along[size(c * rows + r)];
    small_ = std::move(wider);
  }

  // next_ = the centred matrix, transposed and times itself, times the last block of the basis.
  void apply() {
    const auto last = basis(n_vectors() - width_, width_);
    for (std::int64_t gene = 0; gene < n_; ++gene)
      for (std::int64_t c = 0; c < width_; ++c) block_[size(gene * width_ + c)] = last[size(c * n_ + gene)];
    std::fill(out_.begin(), out_.end(), 0.0);
    multiply_(block_, out_);
    const auto rows = static_cast<double>(moments_.n_rows);
    for (std::int64_t c = 0; c < width_; ++c) {
      double along_sums = 0;
      for (std::int64_t gene = 0; gene < n_; ++gene) along_sums += moments_.sums[size(gene)] * last[size(c * n_ + gene)];
      for (std::int64_t gene = 0; gene < n_; ++gene)
        next_[size(c * n_ + gene)] = out_[size(gene * width_ + c)] - moments_.sums[size(gene)] * (along_sums / rows);
    }
  }

  // Ritz values and vectors; the largest residual of those that are wanted.
  double solve() {
    const std::int64_t rows = n_vectors();
    std::vector<double> matrix = small_;
    values_.assign(size(rows), 0);
    weights_.assign(size(width_ * rows), 0);
    find_largest_eigenpairs(matrix, width_, values_, weights_);
    double worst = 0;
    for (std::int64_t i = 0; i < wanted_; ++i) {
      double squares = 0;
      for (std::int64_t r = 0; r < width_; ++r) {
        double part = 0;
        for (std::int64_t c = r; c < width_; ++c)
          part += last_triangle_[size(c * width_ + r)] * weights_[size(i * rows + rows - width_ + c)];
        squares += part * part;
      }
      const double scale = std::max(values_[size(i)], 1e-12 * values_[0]);
      if (scale > 0) worst = std::max(worst, std::sqrt(squares) / scale);
    }
    return worst;
  }

  // The best vectors so far become all of the basis, and the matrix times them is known, too; what is next stays.
  void begin_again() {
    std::vector<double> best(size(n_ * width_));
    combine(basis(0, n_vectors()), weights_, n_, best);
    next_ = std::move(best);
    steps_ = 0;
    small_.clear();
  }

  Components components() {
    Components found;
    found.n_genes = n_;
    found.n = wanted_;
    const auto rows = static_cast<double>(moments_.n_rows);
    for (std::int64_t gene = 0; gene < n_; ++gene) {
      found.means.push_back(moments_.sums[size(gene)] / rows);
      found.total_variance += variance(moments_.squares[size(gene)], moments_.sums[size(gene)], rows);
    }
    found.loadings.resize(size(n_ * wanted_));
    combine(basis(0, n_vectors()), std::span<const double>(weights_).first(size(wanted_ * n_vectors())), n_, found.loadings);
    for (std::int64_t i = 0; i < wanted_; ++i) {
      found.variances.push_back(std::max(values_[size(i)], 0.0) / (rows - 1));
      const auto loadings = std::span(found.loadings).subspan(size(i * n_), size(n_));
      if (is_turned(loadings))
        for (double& loading : loadings) loading = -loading;
    }
    return found;
  }

  std::int64_t n_, width_, wanted_, most_steps_, steps_ = 0;
  const MultiplyBlock& multiply_;
  const RowMoments& moments_;
  Claim claim_;
  std::vector<double> basis_, next_, block_, out_, small_, last_triangle_, values_, weights_;
};

}  // namespace

KrylovPlan::KrylovPlan(std::int64_t genes, std::int64_t components)
    : n_genes(genes), n(components), width(std::min((components + 14 + 7) / 8 * 8, genes / 8 * 8)) {}

std::size_t KrylovPlan::bytes() const {
  const std::int64_t vectors = width * most_steps(*this);
  return size(n_genes * (vectors + 4 * width) + 4 * vectors * vectors) * sizeof(double) + eigenpair_bytes(vectors);
}

KrylovResult find_by_krylov(const KrylovPlan& plan, const MultiplyBlock& multiply, const RowMoments& moments, int most_passes,
                            MemoryBudget& budget) {
  return Krylov(plan, multiply, moments, budget).run(most_passes);
}

}  // namespace quern
