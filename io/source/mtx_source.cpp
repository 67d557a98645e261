// ChunkSource of a MatrixMarket file. A first look counts each cell's entries; a file sorted by cell (10x writes them so) is then parsed
// again chunk by chunk in every pass, any other is grouped by the Transposer.
#include <algorithm>

#include "host/core/error.hpp"
#include "io/source/late_rows_source.hpp"
#include "io/source/mtx_reader.hpp"
#include "io/source/transposer.hpp"
#include "io/sources.hpp"

namespace quern::io {
namespace {

class MtxSource final : public LateRowsSource {
 public:
  MtxSource(const MatrixInput& input, std::unique_ptr<MtxReader> reader, MemoryBudget& memory)
      : LateRowsSource({reader->n_cells(), input.columns.to.empty() ? reader->n_genes() : input.columns.n_kept, reader->n_entries()},
                       reader->n_genes(), input.matrix.name, memory),
        reader_memory_(memory.claim("text of the matrix", MtxReader::memory_bytes)),
        reader_(std::move(reader)),
        columns_(input.columns),
        stop_(input.stop),
        transposer_(reader_->n_cells(), input.matrix.name, input.tmp_dir, memory) {
    if (reader_->n_cells() != input.matrix.rows || reader_->n_genes() != input.matrix.cols)
      throw input_error("bad-shape", input.matrix.name,
                        "is " + std::to_string(reader_->n_genes()) + " genes x " + std::to_string(reader_->n_cells()) +
                            " cells, expected " + std::to_string(input.matrix.cols) + " x " + std::to_string(input.matrix.rows));
  }

  ValueType natural_value_type() const override { return reader_->whole_numbers() ? ValueType::f32 : ValueType::f64; }
  std::int64_t bytes_read() const override { return reader_->bytes_read(); }

 protected:
  std::size_t workspace_bytes(ValueType type, std::size_t left) override {
    return Transposer::spill_bytes(reader_->n_entries(), reader_->n_genes(), type, left);
  }
  bool stores_integers() const override { return reader_->whole_numbers(); }
  std::size_t kept_bytes(ValueType type) const override { return Transposer::kept_bytes(reader_->n_entries(), type); }
  bool ready(ValueType type) const override { return sorted_ || transposer_.holds(type); }
  std::span<const std::int64_t> row_pointers() const override {
    return known_ ? transposer_.row_pointers() : std::span<const std::int64_t>{};
  }

  void learn(ValueType type, std::span<std::byte> workspace) override {
    known_ = false;
    sorted_ = true;
    std::uint32_t last_cell = 0;
    transposer_.begin_counting();
    for_each_entry([&](const MtxEntry& entry) {
      sorted_ = sorted_ && entry.cell >= last_cell;
      last_cell = entry.cell;
      transposer_.count(entry.cell);
    });
    transposer_.end_counting();
    if (!sorted_) {
      transposer_.begin_placing(type, workspace, spare_bytes());
      for_each_entry([&](const MtxEntry& entry) {
        if (type == ValueType::f32)
          transposer_.place(entry.cell, entry.gene, narrow(entry.value));
        else
          transposer_.place(entry.cell, entry.gene, entry.value);
      });
      transposer_.end_placing();
    }
    known_ = true;
  }

  void begin_pass() override {
    if (sorted_) reader_->restart();
  }

  void fetch_rows(ChunkBuffer& slot) override {
    if (!sorted_) return;
    const auto pointers = row_pointers();
    const std::int64_t first = pointers[static_cast<std::size_t>(slot.rows.first)];
    for (std::int64_t r = 0; r <= slot.rows.size(); ++r)
      slot.offsets[r] = static_cast<std::int32_t>(pointers[static_cast<std::size_t>(slot.rows.first + r)] - first);
    std::int32_t at = 0;
    for (std::int64_t r = 0; r < slot.rows.size(); ++r)
      for (; at < slot.offsets[r + 1]; ++at) {
        MtxEntry entry;
        do {
          if (!reader_->next(entry)) throw_changed();
        } while (!keep(entry));
        if (entry.cell != slot.rows.first + r) throw_changed();
        slot.columns[at] = entry.gene;
        if (slot.value_type == ValueType::f32)
          slot.values_as<float>()[at] = narrow(entry.value);
        else
          slot.values_as<double>()[at] = entry.value;
      }
  }

  void fill(ChunkBuffer& slot) override {
    if (!sorted_) transposer_.read(slot);
  }

 private:
  // Renumbers the entry's gene; false when it is left out.
  bool keep(MtxEntry& entry) const {
    if (columns_.to.empty()) return true;
    const std::int32_t column = columns_.to[entry.gene];
    entry.gene = static_cast<std::uint32_t>(column);
    return column >= 0;
  }

  template <class F>
  void for_each_entry(F f) {
    constexpr std::int64_t look_every = 1 << 16;
    reader_->restart();
    MtxEntry entry;
    for (std::int64_t n = 0; reader_->next(entry); ++n) {
      if (n % look_every == 0 && stop_ && stop_->load(std::memory_order_relaxed)) throw Interrupted();
      if (keep(entry)) f(entry);
    }
  }

  float narrow(double value) const {
    const auto narrowed = static_cast<float>(value);
    if (reader_->whole_numbers() && static_cast<double>(narrowed) != value) throw NeedsWiderValues();
    return narrowed;
  }

  [[noreturn]] void throw_changed() const {
    throw input_error("changed", object(), "the file changed while it was read", "let nobody write to it and try again");
  }

  Claim reader_memory_;
  std::unique_ptr<MtxReader> reader_;
  ColumnMap columns_;
  const std::atomic<bool>* stop_;
  Transposer transposer_;
  bool known_ = false, sorted_ = false;
};

}  // namespace

std::unique_ptr<ChunkSource> make_mtx_source(const MatrixInput& input, MemoryBudget& budget) {
  return std::make_unique<MtxSource>(input, std::make_unique<MtxReader>(input.path), budget);
}

}  // namespace quern::io
