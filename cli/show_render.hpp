// An element of an input as rows of fields.
#pragma once
#include "cli/show_selection.hpp"
#include "cli/show_sinks.hpp"
#include "host/core/memory.hpp"
#include "io/view/element.hpp"

namespace quern::cli {

struct ShowChoice {
  AxisChoice rows, columns;  // of a matrix or a table
  bool sparse = false;       // a matrix as triplets: row, column, value
};

// Reads what was chosen and no more than the stored chunks that hold it, in blocks that `budget` allows.
void render(const io::Element& element, const ShowChoice& choice, MemoryBudget& budget, RowSink& sink);
// Reads the names that render would read.
void read_names(const io::Element& element, const ShowChoice& choice);

}  // namespace quern::cli
