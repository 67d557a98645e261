#include "io/carry/carry_over.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>

#include "io/carry/copy_array.hpp"
#include "io/carry/copy_element.hpp"
#include "io/h5ad/h5ad_file.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/hdf5/probe.hpp"

namespace quern::io {
namespace {

class CarryOver {
 public:
  CarryOver(CarryContext& context, const OutputFile& to, const CarryOptions& options)
      : context_(context), options_(options), root_(root_group(to)) {}

  void run() {
    tag_element(root_.get(), "/", "anndata", "0.1.0");
    copy_frame(context_, "/obs", root_, "obs", options_.cells, options_.obs, true);
    copy_frame(context_, of_genes("var"), root_, "var", options_.genes, options_.var, true);
    const std::array both{options_.cells, options_.genes};
    const bool has_x = has_values(of_genes("X"));
    if (options_.with_x && has_x) copy_element(context_, of_genes("X"), root_, "X", both);
    if (options_.raw_as_x) warn_of_other_genes();
    OutputGroup layers = make_dict("layers");
    if (!options_.raw_as_x) copy_members(context_, "/layers", layers, both, options_.without_layers);
    if (options_.add_layers)
      options_.add_layers(layers, [&](const std::string& path, const OutputGroup& to, const std::string& name) {
        copy_element(context_, path, to, name, both);
      });
    layers.close();
    const std::array cells{options_.cells}, genes{options_.genes};
    copy_dict("obsm", "/obsm", cells, options_.without_obsm, options_.add_obsm);
    copy_dict("varm", of_genes("varm"), genes, options_.without_varm, options_.add_varm);
    copy_pairs("obsp", std::array{options_.cells, options_.cells});
    copy_dict("varp", options_.raw_as_x ? "" : "/varp", std::array{options_.genes, options_.genes});
    if (!options_.raw_as_x) copy_raw();
    copy_uns();
    root_.close();
  }

 private:
  bool has_values(const std::string& path) const {
    const ObjectKind kind = context_.from.kind(path);
    return kind == ObjectKind::group || (kind == ObjectKind::dataset && !open_described(context_.from, path).is_null);
  }

  std::string raw_base() const { return context_.from.is_group("/raw") ? "/raw/" : "/raw."; }
  // What belongs to the genes of the output.
  std::string of_genes(const std::string& part) const { return (options_.raw_as_x ? raw_base() : "/") + part; }

  void warn_of_other_genes() {
    std::string names = has_values("/X") ? "X" : "";
    for (const std::string group : {"layers", "varm", "varp"}) {
      if (context_.from.is_dataset("/" + group)) names += (names.empty() ? "" : ", ") + group;  // an old table
      if (!context_.from.is_group("/" + group)) continue;
      for (const std::string& name : context_.from.children("/" + group)) names += (names.empty() ? "" : ", ") + group + "/" + name;
    }
    context_.warn("left-out", "raw becomes X and its genes those of the file; the other genes and what belongs to them are left out: var" +
                                  (names.empty() ? "" : ", " + names));
  }

  OutputGroup make_dict(const std::string& name) {
    OutputGroup group = make_group(root_, name);
    tag_element(group.get(), group.object(), "dict", "0.1.0");
    return group;
  }

  // `from` empty: there is nothing to put into it.
  void copy_dict(const std::string& name, const std::string& from, std::span<const Selection> axes,
                 std::span<const std::string> without = {}, const std::function<void(const OutputGroup&)>& add = {}) {
    OutputGroup group = make_dict(name);
    if (!from.empty()) copy_members(context_, from, group, axes, without);
    if (add) add(group);
    group.close();
  }

  // Old files keep the matrices of neighbours in uns; anndata moves them when it reads.
  std::vector<std::string> moved_to_obsp() const {
    std::vector<std::string> moved;
    const std::string group = "/uns/neighbors";
    for (const std::string& name : context_.from.children(group))
      if (name == "distances" || name == "connectivities") {
        const auto matrix = describe_matrix(context_.from, join_path(group, name), name);
        if (matrix) moved.push_back(name);
      }
    return moved;
  }

  void copy_pairs(const std::string& name, std::span<const Selection> axes) {
    OutputGroup group = make_dict(name);
    const std::vector<std::string> moved = moved_to_obsp();
    copy_members(context_, "/" + name, group, axes, moved);
    for (const std::string& matrix : moved) copy_element(context_, "/uns/neighbors/" + matrix, group, matrix, axes);
    group.close();
  }

  void copy_raw() {
    const bool is_group = context_.from.is_group("/raw");
    const std::string base = raw_base();
    if (!has_values(base + "X") && !has_values(base + "var")) return;
    OutputGroup raw = make_group(root_, "raw");
    tag_element(raw.get(), raw.object(), "raw", "0.1.0");
    const std::array cells_only{options_.cells, Selection()};
    if (has_values(base + "X")) copy_element(context_, base + "X", raw, "X", cells_only);
    copy_frame(context_, base + "var", raw, "var", Selection(), options_.raw_var, false);
    OutputGroup varm = make_group(raw, "varm");
    tag_element(varm.get(), varm.object(), "dict", "0.1.0");
    copy_members(context_, base + "varm", varm, std::array{Selection()});
    varm.close();
    if (!is_group && has_values("/raw.cat"))
      context_.warn("left-out", "/raw.cat: categories of raw.var, which anndata does not read either, are left out");
    raw.close();
  }

  void copy_uns() {
    OutputGroup uns = make_dict("uns");
    const std::vector<std::string> moved = moved_to_obsp();
    for (const std::string& name : context_.from.children("/uns")) {
      const auto& without = options_.without_uns;
      if (std::find(without.begin(), without.end(), name) != without.end() || context_.used_categories.contains(name)) continue;
      if (name == "neighbors" && !moved.empty())
        copy_neighbors(uns, moved);
      else if (!copy_colors(uns, name))
        copy_element(context_, "/uns/" + name, uns, name, {});
    }
    if (options_.add_uns)
      options_.add_uns(uns, [&](const std::string& path, const OutputGroup& to, const std::string& name) {
        copy_element(context_, path, to, name, {});
      });
    uns.close();
  }

  void copy_neighbors(const OutputGroup& uns, const std::vector<std::string>& moved) {
    OutputGroup group = make_group(uns, "neighbors");
    tag_element(group.get(), group.object(), "dict", "0.1.0");
    copy_members(context_, "/uns/neighbors", group, {}, moved);
    group.close();
  }

  // Colours of categories go with their categories. As in anndata: those that do not fit the categories go away.
  bool copy_colors(const OutputGroup& uns, const std::string& name) {
    constexpr std::string_view ending = "_colors";
    const bool is_cut = !options_.cells.keeps_all() || !options_.genes.keeps_all();
    if (!is_cut || !name.ends_with(ending)) return false;
    const auto found = context_.categories.find(name.substr(0, name.size() - ending.size()));
    const std::string path = "/uns/" + name;
    if (found == context_.categories.end() || !context_.from.is_dataset(path)) return false;
    const Dataset colors = open_described(context_.from, path);
    if (colors.dims.empty()) return false;
    const auto& [n_categories, kept] = found->second;
    if (colors.dims[0] == n_categories)
      copy_element(context_, path, uns, name, std::array{kept});
    else
      context_.warn("left-out", path + ": colours of other categories than there are, left out as anndata does");
    return true;
  }

  CarryContext& context_;
  const CarryOptions& options_;
  OutputGroup root_;
};

}  // namespace

std::vector<Warning> carry_over(const Hdf5File& from, const OutputFile& to, const CarryOptions& options, MemoryBudget& budget) {
  CarryContext context{.from = from, .budget = budget, .threads = options.threads};
  context.visit = options.visit ? options.visit : visit_serially(budget);
  context.take_source = options.take_source;
  context.packing = options.packing;
  context.wide_values = options.wide_values;
  context.tmp_dir = options.tmp_dir;
  context.stop = options.stop;
  context.pause = [&options] {
    if (options.stop && *options.stop) throw Interrupted();
  };
  CarryOver(context, to, options).run();
  return std::move(context.warnings);
}

std::string element_path(const MatrixInfo& matrix) {
  const std::string& data = matrix.data.path;
  return matrix.storage == Storage::dense ? data : data.substr(0, data.rfind('/'));
}

CarrySurvey survey_carry_over(const std::string& path, bool allow_external) {
  const auto survey = [&] {
    const Hdf5File from(path, allow_external, false);
    const OutputFile nowhere = OutputFile::create_in_memory();
    MemoryBudget budget(std::size_t{1} << 40);
    CarryContext context{.from = from, .budget = budget, .survey = true};
    CarryOver(context, nowhere, {}).run();
    return std::to_string(context.bytes) + " " + std::to_string(context.largest_piece);
  };
  std::istringstream told(run_in_probe(survey, probe_limits(std::filesystem::file_size(path))));
  CarrySurvey found;
  told >> found.bytes >> found.largest_piece;
  return found;
}

}  // namespace quern::io
