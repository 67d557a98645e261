// Any element of an input, opened to be looked at: a matrix, a table, a group of other elements, or one value.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/hdf5/file.hpp"
#include "io/sources.hpp"

namespace quern::io {

using OpenNames = std::function<std::unique_ptr<NameSource>()>;

struct TableColumn {
  std::string name;
  std::string kind;  // as ColumnInfo::kind
  OpenNames open;    // values as text, missing ones empty
};

// Rows or columns of what is shown.
struct Axis {
  std::string word;  // what one is called: "cell", "gene", "row" ...
  std::int64_t size = 0;
  OpenNames names;  // empty: numbered from 0
};

struct Member {
  std::string name, kind, shape;  // shape: "700 x 50", "3 keys", empty for one value
  std::string value;              // of one value
};

enum class ElementKind { matrix, table, group, value };

struct Element {
  ElementKind kind = ElementKind::value;
  std::string path;    // inside the file
  Axis rows, columns;  // of a matrix; of a table only rows
  MatrixInput matrix;
  std::vector<TableColumn> table;
  std::vector<Problem> problems;  // of a dataframe: why columns are missing from `table`
  std::vector<Member> members;
  std::string value, value_kind;
};

// The names of an axis, or its numbers.
std::unique_ptr<NameSource> open_axis(const Axis& axis);

// ---- elements of an HDF5 file, by absolute path, whatever they are; `file` must outlive the element.

// Throws input_error: "missing-object" that says what there is, "unknown-encoding", "bad-type" (nothing that can be shown).
Element open_element(const Hdf5File& file, const std::string& path);
// Names and kinds of what a group (or an old table of arrays) holds.
std::vector<Member> list_members(const Hdf5File& file, const std::string& group);

// A dataframe of any generation; columns that cannot be read are left out and told in `problems`.
Element open_frame(const Hdf5File& file, const std::string& path);
// One list of values: an array, a categorical, a nullable array. One column called "value".
Element open_list(const Hdf5File& file, const std::string& path);
// A dataset of any rank that is no matrix of numbers: the first axis by row, the others flattened ("0,1") by column.
Element open_grid(const Hdf5File& file, const std::string& path);
// A field of arrays in a compound dataset, as anndata before 0.6.7 kept obsm.
Element open_field(const Hdf5File& file, const std::string& path, const std::string& field);

}  // namespace quern::io
