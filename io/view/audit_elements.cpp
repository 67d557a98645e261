// Everything in a file but the numbers of its matrices.
#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "io/h5ad/encoding.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/names/name_sources.hpp"
#include "io/view/audit.hpp"

namespace quern::io {
namespace {

constexpr int deepest = 32;  // groups in groups

// What anndata has written so far, with every version of it.
const std::multimap<std::string, std::string>& known_encodings() {
  static const std::multimap<std::string, std::string> known{{"anndata", "0.1.0"},
                                                             {"raw", "0.1.0"},
                                                             {"dict", "0.1.0"},
                                                             {"array", "0.2.0"},
                                                             {"string-array", "0.2.0"},
                                                             {"csr_matrix", "0.1.0"},
                                                             {"csc_matrix", "0.1.0"},
                                                             {"dataframe", "0.1.0"},
                                                             {"dataframe", "0.2.0"},
                                                             {"categorical", "0.2.0"},
                                                             {"nullable-integer", "0.1.0"},
                                                             {"nullable-boolean", "0.1.0"},
                                                             {"nullable-string-array", "0.1.0"},
                                                             {"numeric-scalar", "0.2.0"},
                                                             {"string", "0.2.0"},
                                                             {"bytes", "0.2.0"},
                                                             {"rec-array", "0.2.0"},
                                                             {"awkward-array", "0.1.0"},
                                                             {"null", "0.1.0"}};
  return known;
}

class Audit {
 public:
  Audit(Viewer& viewer, bool deep) : viewer_(viewer), deep_(deep) {}

  Findings run() {
    // Those of matrices first: where obs or var has another length than X, they say what the others follow from.
    for (const bool of_matrices : {true, false})
      for (const Problem& problem : info().problems)
        if (problem.matrix.empty() != of_matrices) findings_.tell_finding(Severity::error, problem.object, problem.code, problem.text);
    check_all_frames();
    for (const MatrixInfo& matrix : info().matrices) viewer_.touch(matrix);
    if (info().format == Format::h5ad) check_h5ad();
    return std::move(findings_);
  }

 private:
  const FileInfo& info() const { return viewer_.info(); }
  const Hdf5File& file() const { return *viewer_.file(); }
  // Runs `work`; what it throws is a finding about `object`.
  template <class Work>
  void guard(const std::string& object, Work work) {
    try {
      work();
    } catch (const Error& error) {
      if (object.starts_with("/uns/") && (error.code() == "bad-type" || error.code() == "too-many-columns"))
        findings_.tell_finding(Severity::warning, object, "not-read", error.what());  // anything may stand there
      else if (object.starts_with("/uns/") && error.code() == "external-reference")
        findings_.tell_finding(Severity::warning, object, "not-followed", error.what());
      else
        findings_.add(error, object);
    }
  }

  void check_frames(Viewer& viewer) {
    for (const char* name : {"obs", "var", "raw/var"}) {
      if (name == std::string("raw/var") && (info().format != Format::h5ad || info().raw_var.path.empty())) continue;
      guard(std::string("/") + name, [&] {
        const Element frame = viewer.open(name);
        const auto names = open_axis(frame.rows);
        refuse_repeated_columns(frame);
        if (!deep_) return;
        check_names(*names, viewer.file() ? frame.path : std::string("/") + name, frame.rows.word);
        read_table(frame);
      });
    }
    for (const Warning& warning : viewer.warnings()) {
      const bool said = std::any_of(findings_.list.begin(), findings_.list.end(),
                                    [&](const Finding& finding) { return finding.code == warning.code && finding.text == warning.text; });
      const bool of_choice = warning.code == "unusable-column" || warning.code == "several-genomes";
      if (!said && !of_choice) findings_.list.push_back({Severity::warning, "/", warning.code, warning.text});
    }
  }

  void refuse_repeated_columns(const Element& frame) {
    std::vector<std::string> names;
    for (const TableColumn& column : frame.table) {
      if (std::find(names.begin(), names.end(), column.name) != names.end())
        findings_.tell_finding(Severity::error, join_path(frame.path, column.name), "duplicate-column", "listed twice in column-order");
      names.push_back(column.name);
    }
  }

  // A 10x file of several genomes has names for each.
  void check_all_frames() {
    const auto genomes = info().keys.find("genomes");
    if (genomes == info().keys.end() || genomes->second.size() < 2) return check_frames(viewer_);
    for (const std::string& genome : genomes->second) {
      Viewer viewer(viewer_.path(), viewer_.options(), "genome/" + genome);
      check_frames(viewer);
    }
  }

  void check_names(NameSource& names, const std::string& object, const std::string& word) {
    Claim claim;
    if (MemoryBudget* budget = viewer_.options().budget)
      claim = budget->claim("search for repeated names", static_cast<std::size_t>(names.size()) * sizeof(std::size_t));
    std::vector<std::size_t> hashes;
    hashes.reserve(static_cast<std::size_t>(names.size()));
    std::int64_t n_empty = 0;
    for_each_name(names, [&](const std::string& name, std::int64_t) {
      hashes.push_back(std::hash<std::string>()(name));
      if (name.empty()) ++n_empty;
    });
    const std::size_t n_names = hashes.size();
    std::sort(hashes.begin(), hashes.end());
    const auto n_different = static_cast<std::size_t>(std::unique(hashes.begin(), hashes.end()) - hashes.begin());
    if (n_different < n_names)
      findings_.tell_finding(
          Severity::note, object, "duplicate-names",
          std::to_string(n_names - n_different) + " of " + std::to_string(n_names) + " names are those of an earlier " + word);
    if (n_empty > 0) findings_.tell_finding(Severity::note, object, "empty-names", std::to_string(n_empty) + " names are empty");
  }

  void read_table(const Element& table) {
    for (const TableColumn& column : table.table)
      guard(join_path(table.path, column.name), [&] { for_each_name(*column.open(), [](const std::string&, std::int64_t) {}); });
  }

  void check_h5ad() {
    check_group("/layers", -1, false);
    check_group("/obsm", info().n_obs, false);
    check_group("/varm", info().n_vars, false);
    check_group("/obsp", info().n_obs, true);
    check_group("/varp", info().n_vars, true);
    check_group("/raw/varm", info().raw_var.size, false);
    check_tag("/");
    if (file().is_group("/uns")) check_members("/uns", 0);
  }

  // Members of a group of arrays whose first axis (and second, if `square`) has `size`; -1: any.
  void check_group(const std::string& group, std::int64_t size, bool square) {
    const bool old_table = file().is_dataset(group);
    if (!old_table && !file().is_group(group)) return;
    if (!old_table) check_tag(group);
    if (group == "/layers") return;
    for (const Member& member : list_members(file(), group)) {
      const std::string path = join_path(group, member.name);
      guard(path, [&] { check_element(path, size, square, 0); });
    }
  }

  void check_members(const std::string& group, int depth) {
    check_tag(group);
    for (const std::string& name : file().children(group)) {
      const std::string path = join_path(group, name);
      guard(path, [&] { check_element(path, -1, false, depth); });
    }
  }

  void check_element(const std::string& path, std::int64_t size, bool square, int depth) {
    if (file().kind(path) == ObjectKind::none && file().is_group(path.substr(0, path.rfind('/'))))
      return findings_.tell_finding(Severity::warning, path, "broken-link", "a link that leads nowhere");
    if (!check_tag(path)) return;
    const Element element = open_element(file(), path);
    for (const Problem& problem : element.problems) findings_.tell_finding(Severity::error, problem.object, problem.code, problem.text);
    const bool has_rows = element.kind == ElementKind::matrix || element.kind == ElementKind::table;
    if (has_rows && size >= 0 && element.rows.size != size)
      return findings_.tell_finding(Severity::error, path, "bad-shape",
                                    "holds " + std::to_string(element.rows.size) + " rows, expected " + std::to_string(size));
    if (element.kind == ElementKind::matrix && square && element.columns.size != size)
      return findings_.tell_finding(Severity::error, path, "bad-shape",
                                    "has " + std::to_string(element.columns.size) + " columns, expected " + std::to_string(size));
    if (element.kind == ElementKind::matrix) {
      viewer_.touch(element.matrix.matrix);
      findings_.matrices.push_back(path);
    } else if (element.kind == ElementKind::table && deep_) {
      if (element.rows.names) for_each_name(*element.rows.names(), [](const std::string&, std::int64_t) {});
      read_table(element);
    } else if (element.kind == ElementKind::group) {
      if (depth == deepest)
        return findings_.tell_finding(Severity::warning, path, "too-deep",
                                      "more than " + std::to_string(deepest) + " groups in one another: not looked into");
      check_members(path, depth + 1);
    }
  }

  // Whether the element's tag, if it has one, is known. An unknown one is a finding.
  bool check_tag(const std::string& path) {
    if (file().kind(path) == ObjectKind::none) return true;  // a field of an old table
    const Encoding found = encoding_of(file().open(path).get(), path);
    if (found.type.empty()) return true;
    const auto [first, last] = known_encodings().equal_range(found.type);
    const bool known = std::any_of(first, last, [&](const auto& pair) { return found.version.empty() || pair.second == found.version; });
    if (!known)
      findings_.tell_finding(Severity::error, path, "unknown-encoding",
                             "the encoding '" + found.type + " " + found.version + "' is not known");
    return known;
  }

  Viewer& viewer_;
  bool deep_;
  Findings findings_;
};

}  // namespace

Findings audit_elements(Viewer& viewer, bool deep) { return Audit(viewer, deep).run(); }

}  // namespace quern::io
