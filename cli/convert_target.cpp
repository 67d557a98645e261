#include "cli/convert_target.hpp"

#include <filesystem>

#include "host/core/error.hpp"

namespace quern::cli {
namespace {

// A name without an ending, or with a slash at its end, is a folder's.
std::string kind_by_name(const std::string& target) {
  const std::filesystem::path path(target);
  if (path.extension() == ".h5ad") return "h5ad";
  if (path.extension() == ".h5") return "10x";
  if (!path.has_filename() || path.extension().empty() || std::filesystem::is_directory(path)) return "mtx";
  throw usage_error("unknown-extension", "--output", target + ": the name does not tell what it is to be",
                    "end it in .h5ad or .h5 (10x), name a folder (matrix.mtx.gz), or give --to");
}

}  // namespace

std::unique_ptr<ConvertTarget> make_target(const ConvertOptions& options, const ConvertPlan& plan, Session& session) {
  const std::string kind = options.to.empty() ? kind_by_name(options.output) : options.to;
  if (kind == "h5ad") return make_h5ad_target(options, plan, session);
  if (options.dtype != "keep")
    throw usage_error("bad-value", "--dtype", "only values of an h5ad have a choice of types", "leave --dtype out");
  if (kind == "10x") return make_tenx_target(options, plan, session);
  return make_mtx_target(options, plan, session);
}

}  // namespace quern::cli
