// An h5ad of new cells over the genes of another: what aggregating makes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "host/core/memory.hpp"
#include "io/carry/carry_over.hpp"
#include "io/carry/copy_frame.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

struct NewCells {
  struct Labels {  // a categorical column of obs
    std::string name;
    std::span<const std::string> levels;
    std::span<const std::int32_t> codes;  // one a cell
  };
  struct Layer {  // dense, a row a cell
    std::string name;
    ColumnType type = ColumnType::float64;
    std::function<void(std::int64_t row, std::byte* out)> fill;
  };
  std::int64_t n_cells = 0, n_genes = 0;
  std::function<std::string(std::int64_t row)> name;
  std::vector<Labels> labels;
  std::vector<NewColumn> columns;  // of obs, after the labels
  std::vector<Layer> layers;
  std::string genes;  // the frame of the source that becomes var: "/var"
  std::function<void(const OutputGroup& uns, const CopyElement& copy)> add_uns;
  const std::atomic<bool>* stop = nullptr;  // Interrupted soon
};

// There is no X. Throws what reading the frame throws, and output_error. Claims one row.
std::vector<Warning> write_new_cells(const Hdf5File& from, const OutputFile& to, const NewCells& cells, MemoryBudget& budget);

}  // namespace quern::io
