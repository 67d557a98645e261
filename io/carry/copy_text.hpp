// Text on its way out: always UTF-8 of variable length, however it was stored.
#pragma once
#include <string>

#include "host/core/chunk_source.hpp"
#include "io/carry/context.hpp"
#include "io/h5ad_write/output_file.hpp"

namespace quern::io {

// The chosen names as a tagged string array.
void copy_texts(CarryContext& context, NameSource& names, const Selection& rows, const OutputGroup& to, const std::string& name);
// One text without dimensions, tagged as a string.
void write_text(const OutputGroup& to, const std::string& name, const std::string& text);
// A group tagged as a dict.
OutputGroup make_dict(const OutputGroup& to, const std::string& name);
// One number without dimensions, tagged as such.
void write_number(const OutputGroup& to, const std::string& name, double number);
// The same of true or false.
void write_flag(const OutputGroup& to, const std::string& name, bool flag);

}  // namespace quern::io
