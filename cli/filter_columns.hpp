// What `quern filter` leaves in the file beside what it keeps.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/filter_run.hpp"
#include "cli/h5ad_writing.hpp"
#include "io/carry/copy_frame.hpp"

namespace quern::cli {

// numpy's type of the sum of values of a stored type.
io::ColumnType type_of_sum(const std::string& stored);

// scanpy's columns: `name` with the numbers, n_counts with the sums, each where it is not empty. They refer to the vectors.
std::vector<io::NewColumn> left_behind(const std::string& name, const std::vector<std::int32_t>& numbers, const std::vector<double>& sums,
                                       io::ColumnType sum_type);
std::vector<io::NewColumn> left_behind(const std::string& name, const std::vector<std::int64_t>& numbers, const std::vector<double>& sums,
                                       io::ColumnType sum_type);

// For the provenance: min_genes: 200, max_pct: mt=5,ribo=40.
Parameters filter_parameters(const FilterPlan& plan, const std::string& matrix);

}  // namespace quern::cli
