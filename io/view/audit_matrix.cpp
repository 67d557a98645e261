// Every stored index and value of one matrix.
#include <algorithm>
#include <cmath>

#include "io/decode/convert.hpp"
#include "io/source/row_pointers.hpp"
#include "io/view/audit.hpp"
#include "io/view/compressed_reader.hpp"
#include "io/view/matrix_view.hpp"
#include "io/view/source_walk.hpp"

namespace quern::io {
namespace {

std::string with_count(std::int64_t n, const std::string& one, const std::string& many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

struct ValueCounts {
  bool of_genes = true;
  std::int64_t n = 0, zeros = 0, nans = 0, infinities = 0, negatives = 0, fractions = 0;

  void observe(double value) {
    ++n;
    if (value == 0) ++zeros;
    if (value < 0) ++negatives;
    if (std::isnan(value))
      ++nans;
    else if (std::isinf(value))
      ++infinities;
    else if (value != std::floor(value))
      ++fractions;
  }
};

void note_values(std::int64_t n, const std::string& code, const std::string& what, const std::string& object, Findings& findings) {
  if (n > 0) findings.tell_finding(Severity::note, object, code, with_count(n, "value is ", "values are ") + what);
}

void tell_values(const ValueCounts& counts, const MatrixInfo& matrix, const std::string& object, Findings& findings) {
  if (matrix.storage != Storage::dense) note_values(counts.zeros, "explicit-zeros", "stored although zero", object, findings);
  note_values(counts.nans, "has-nan", "NaN", object, findings);
  note_values(counts.infinities, "has-infinity", "infinite", object, findings);
  if (!counts.of_genes) return;
  note_values(counts.negatives, "has-negative", "negative", object, findings);
  const bool real = number_kind(matrix.data.type) == NumberKind::real;
  const bool counting = counts.n > counts.zeros && counts.fractions + counts.nans + counts.infinities + counts.negatives == 0;
  if (real && counting && !matrix.indptr.path.empty())
    findings.tell_finding(Severity::note, object, "counts-as-floats", "all values are whole numbers, stored as " + matrix.data.type);
}

// Order and repetition within rows (columns of CSC).
struct OrderCounts {
  std::int64_t unsorted = 0, repeated = 0;
  std::vector<std::uint32_t> scratch;

  void observe(const std::uint32_t* begin, const std::uint32_t* end) {
    if (std::adjacent_find(begin, end, [](std::uint32_t a, std::uint32_t b) { return a >= b; }) == end) return;
    if (!std::is_sorted(begin, end)) ++unsorted;
    scratch.assign(begin, end);
    std::sort(scratch.begin(), scratch.end());
    repeated += scratch.end() - std::unique(scratch.begin(), scratch.end());
  }
};

void tell_order(const OrderCounts& counts, Storage storage, const std::string& object, Findings& findings) {
  const std::string majors = storage == Storage::csr ? "rows" : "columns";
  if (counts.unsorted > 0)
    findings.tell_finding(Severity::note, object, "unsorted-indices",
                          std::to_string(counts.unsorted) + " " + majors + " are not in ascending order");
  if (counts.repeated > 0)
    findings.tell_finding(
        Severity::note, object, "repeated-entries",
        with_count(counts.repeated, "entry stands", "entries stand") + " at a place that another one has; they are summed");
}

class MatrixAudit {
 public:
  MatrixAudit(const MatrixInput& input, MemoryBudget& budget, const AuditProgress& progress, Findings& findings)
      : input_(input), matrix_(input.matrix), budget_(budget), progress_(progress), findings_(findings) {
    is_mtx_ = input.file == H5I_INVALID_HID;
    is_sparse_ = !is_mtx_ && matrix_.storage != Storage::dense;
    const std::string& data = matrix_.data.path;
    object_ = is_mtx_ ? "/X" : is_sparse_ ? data.substr(0, data.rfind('/')) : data;
  }
  const std::string& object() const { return object_; }

  void check_pointers() {
    if (!is_sparse_) return;
    MatrixInput by_major = input_;
    if (matrix_.storage == Storage::csc) std::swap(by_major.matrix.rows, by_major.matrix.cols);
    RowPointers::read(by_major, budget_);
  }

  // Returns the number of stored values.
  std::int64_t read_all(bool of_genes) {
    values_.of_genes = of_genes;
    if (is_sparse_) {
      read_sparse();
    } else {
      const auto source = is_mtx_ ? make_mtx_source(input_, budget_) : make_dense_source(input_, budget_);
      read_source(*source);
      if (is_mtx_) order_.repeated = matrix_.nnz - values_.n;  // the source has summed them
    }
    tell_order(order_, matrix_.storage, object_, findings_);
    tell_values(values_, matrix_, object_, findings_);
    return is_sparse_ ? values_.n : matrix_.nnz < 0 ? matrix_.rows * matrix_.cols : matrix_.nnz;
  }

 private:
  void read_sparse() {
    const std::int64_t n_majors = matrix_.storage == Storage::csr ? matrix_.rows : matrix_.cols;
    Ranges all;
    if (n_majors > 0) all.push_back({0, n_majors});
    CompressedReader reader(input_, all, budget_);
    MajorBlock block;
    while (reader.next(block)) {
      for (std::size_t m = 0; m + 1 < block.offsets.size(); ++m)
        order_.observe(block.minors.data() + block.offsets[m], block.minors.data() + block.offsets[m + 1]);
      for (const Number value : block.values) {
        if (values_.of_genes && !is_within_double(reader.kind(), value)) throw value_too_large(matrix_.data.path, "a 64-bit integer");
        values_.observe(number_as_double(reader.kind(), value));
      }
      if (progress_) progress_(block.first + block.n_majors(), n_majors, values_.n);
    }
  }

  void read_source(ChunkSource& source) {
    SourceWalk walk(source, budget_);
    while (walk.next()) {
      const ChunkBuffer& chunk = walk.chunk();
      const double* begin = chunk.values_as<double>();
      std::for_each(begin, begin + chunk.offsets[chunk.rows.size()], [&](double value) { values_.observe(value); });
      if (progress_) progress_(chunk.rows.last, matrix_.rows, values_.n);
    }
  }

  const MatrixInput& input_;
  const MatrixInfo& matrix_;
  MemoryBudget& budget_;
  const AuditProgress& progress_;
  Findings& findings_;
  std::string object_;
  bool is_mtx_ = false, is_sparse_ = false;
  ValueCounts values_;
  OrderCounts order_;
};

}  // namespace

std::int64_t audit_matrix(const MatrixInput& input, bool of_genes, bool deep, MemoryBudget& budget, const AuditProgress& progress,
                          Findings& findings) {
  MatrixAudit audit(input, budget, progress, findings);
  try {
    audit.check_pointers();
    return deep ? audit.read_all(of_genes) : 0;
  } catch (const Error& error) {
    findings.add(error, audit.object());
    return 0;
  }
}

}  // namespace quern::io
