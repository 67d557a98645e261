// One column of obs or var, whatever the generation: where it is, what it is, its values as text.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "host/core/chunk_source.hpp"
#include "io/file_info.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

enum class ColumnForm {
  plain,                  // a dataset of values
  field,                  // a field of a compound table
  categorical,            // a group of codes and categories (0.8 and later)
  categorical_reference,  // codes whose attribute refers to the categories (0.7)
  categorical_field,      // a field of codes, categories in /uns/NAME_categories (0.6 and older)
  nullable,               // a group of values and mask
  unknown                 // tagged with an encoding that is not known here
};

struct ColumnPlace {
  ColumnForm form = ColumnForm::plain;
  std::string values;      // dataset of values or codes
  std::string field;       // of a compound table
  std::string categories;  // dataset; categorical_reference: empty
  std::string mask;
  std::string encoding;  // encoding-type, when tagged
};

// `frame` is a group or a compound dataset. Throws input_error when the column is missing or not in one of the forms.
ColumnPlace find_column(const Hdf5File& file, const std::string& frame, const std::string& column);
// Kind and categories (their first 1,000; n_categories counts all).
ColumnInfo describe_column(const Hdf5File& file, const ColumnPlace& place, const std::string& name);
// The categories of a categorical column of any form, and whether they are ordered.
struct Categories {
  Dataset values;
  bool ordered = false;
};
Categories find_categories(const Hdf5File& file, const ColumnPlace& place);
// Throws input_error("bad-categories") unless `code` is -1 (missing) or one of the categories.
void refuse_bad_code(std::int64_t code, std::int64_t n_categories, const std::string& where);
// The values of a list that is already open, as text.
std::unique_ptr<NameSource> open_texts(const Hdf5File& file, Dataset dataset);
std::int64_t column_size(const Hdf5File& file, const ColumnPlace& place);
// Values as text, missing ones empty. Touches HDF5 in read(); `file` must outlive it.
std::unique_ptr<NameSource> open_column(const Hdf5File& file, const ColumnPlace& place);

}  // namespace quern::io
