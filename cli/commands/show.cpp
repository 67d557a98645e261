// `quern show`: a part of any element of a file as text.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/console.hpp"
#include "cli/show_render.hpp"
#include "cli/suggest.hpp"
#include "host/core/error.hpp"
#include "io/file_errors.hpp"
#include "io/view/viewer.hpp"

namespace quern::cli {
namespace {

// How much of what nobody chose a terminal shows.
constexpr std::int64_t rows_on_terminal = 20, columns_on_terminal = 10;

class DiscardSink final : public RowSink {
 public:
  void begin(const std::vector<std::string>&, const std::vector<std::string>&) override {}
  void row(const std::vector<std::string>&) override {}
  void gap() override {}
};

// Every row to each of several sinks.
class TeeSink final : public RowSink {
 public:
  void add(std::unique_ptr<RowSink> sink) { sinks_.push_back(std::move(sink)); }
  void begin(const std::vector<std::string>& header, const std::vector<std::string>& kinds) override {
    for (const auto& sink : sinks_) sink->begin(header, kinds);
  }
  void row(const std::vector<std::string>& fields) override {
    for (const auto& sink : sinks_) sink->row(fields);
  }
  void gap() override {
    for (const auto& sink : sinks_) sink->gap();
  }
  void end() override {
    for (const auto& sink : sinks_) sink->end();
  }

 private:
  std::vector<std::unique_ptr<RowSink>> sinks_;
};

// The names of a table's columns.
class ColumnNames final : public NameSource {
 public:
  explicit ColumnNames(const io::Element& element) : element_(element) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(element_.table.size()); }
  void read(RowRange range, std::vector<std::string>& names) override {
    names.clear();
    for (std::int64_t c = range.first; c < range.last; ++c) names.push_back(element_.table[static_cast<std::size_t>(c)].name);
  }

 private:
  const io::Element& element_;
};

const char* kind_word(io::ElementKind kind) {
  switch (kind) {
    case io::ElementKind::matrix:
      return "matrix";
    case io::ElementKind::table:
      return "table";
    case io::ElementKind::group:
      return "group";
    case io::ElementKind::value:
      break;
  }
  return "value";
}

class Show final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_input(set, shared);
    set.positional("OBJECT", object_, "X (default), raw, layers/K, obs, var, raw/var, obsm/K, varm/K, obsp/K, varp/K, uns, uns/K ...",
                   false);
    set.group("Which part");
    set.text("--rows", "A:B", rows_.slice, "rows by number, as Python's [A:B]: from 0, B left out, negative ones count from the end");
    set.text("--cols", "A:B", columns_.slice, "columns by number, likewise");
    set.list("--row-names", "A,B", row_words_, "rows by name, in the order of the file");
    set.list("--col-names", "A,B", column_words_, "columns by name, in the order of the file");
    set.group("How it is shown");
    set.flag("--sparse", sparse_, "a matrix as its stored entries: row, column, value");
    set.output("-o,--output", "TSV", output_, "a .tsv or .tsv.gz instead of standard output");
    set.group("How it is read");
    declare_threads(set, shared);
    declare_memory(set, shared);
    declare_tmp_dir(set, shared);
    declare_reporting(set, shared);
  }

  void run(Session& session) override {
    settle_words(session.options);
    io::InputOptions options = input_options(session.options);
    const std::string& path = session.options.input;
    MemoryBudget budget(session.options.memory_bytes);
    options.budget = &budget;
    io::view_in_probe(path, options, object_, [&](io::Viewer& viewer) {
      rehearse_or_suggest(viewer, budget);
      return std::string();
    });
    io::Viewer viewer(path, options, object_);
    const io::Element element = viewer.open();
    refuse_misfits(element);
    const ShowChoice choice = has_parts(element) ? choose_parts(element) : ShowChoice();
    tell_input(viewer, element, session);
    show(element, choice, budget, session);
  }

 private:
  void settle_words(const SharedOptions& shared) {
    if (object_.empty()) object_ = shared.layer;
    if (shared.layer != "X" && shared.layer != object_)
      throw usage_error("two-choices", "--layer", "OBJECT says " + object_ + ", --layer says " + shared.layer, "leave one of them out");
    rows_.names = split_names(row_words_);
    columns_.names = split_names(column_words_);
    if (!output_.empty() && output_ != "-" && !output_.ends_with(".tsv") && !output_.ends_with(".tsv.gz"))
      throw usage_error("bad-output", "--output", output_ + " ends in neither .tsv nor .tsv.gz", "name a .tsv, or - for standard output");
    shortened_ = output_.empty() && shared.json.empty() && isatty(STDOUT_FILENO) != 0;
  }

  void rehearse_or_suggest(io::Viewer& viewer, MemoryBudget& budget) const {
    try {
      rehearse(viewer, budget);
    } catch (const Error& error) {
      const bool unknown = error.code() == "missing-object" || error.code() == "no-such-matrix";
      const std::string near = unknown && error.hint().empty() ? suggestion(object_, viewer.objects()) : "";
      if (near.empty()) throw;
      throw input_error("missing-object", error.object(), error.what(), near);
    }
  }

  // In the probe: all that reads what a damaged file could make HDF5 stumble over.
  void rehearse(io::Viewer& viewer, MemoryBudget& budget) const {
    const io::Element element = viewer.open();
    if (!has_parts(element)) return;
    const ShowChoice choice = choose_parts(element);
    DiscardSink nowhere;
    if (element.kind == io::ElementKind::table) return render(element, choice, budget, nowhere);
    read_names(element, choice);
    viewer.touch(element.matrix.matrix);
  }

  ShowChoice choose_parts(const io::Element& element) const {
    ShowChoice choice;
    choice.sparse = sparse_;
    const auto row_names = io::open_axis(element.rows);
    const bool is_matrix = element.kind == io::ElementKind::matrix;
    const auto column_names = is_matrix ? io::open_axis(element.columns) : std::make_unique<ColumnNames>(element);
    choice.rows = choose(rows_, *row_names, "--rows", "--row-names", shortened_ ? rows_on_terminal : 0);
    choice.columns = choose(columns_, *column_names, "--cols", "--col-names", shortened_ ? columns_on_terminal : 0);
    return choice;
  }

  void tell_input(io::Viewer& viewer, const io::Element& element, Session& session) const {
    session.report.set_input(viewer.info());
    const bool is_matrix = element.kind == io::ElementKind::matrix;
    if (is_matrix) {
      session.report.set_matrix(element.matrix.matrix);
      for (const io::Axis* axis : {&element.rows, &element.columns}) io::open_axis(*axis);  // so that it is known whether there are names
    }
    session.warn(viewer.warnings());
    Json& result = session.report.result();
    result = {{"object", object_}, {"path", element.path}, {"kind", kind_word(element.kind)}};
    if (is_matrix) result["shape"] = {element.rows.size, element.columns.size};
    if (element.kind == io::ElementKind::table) result["shape"] = {element.rows.size, element.table.size()};
  }

  static bool has_parts(const io::Element& element) {
    return element.kind == io::ElementKind::matrix || element.kind == io::ElementKind::table;
  }

  void refuse_misfits(const io::Element& element) const {
    if (!has_parts(element) && (rows_.asked() || columns_.asked()))
      throw usage_error("no-rows", object_,
                        std::string("is a ") + kind_word(element.kind) + ", which has no rows and columns to choose from");
    if (sparse_ && element.kind != io::ElementKind::matrix)
      throw usage_error("not-a-matrix", "--sparse", object_ + " is a " + kind_word(element.kind) + ", no matrix", "leave --sparse out");
  }

  void show(const io::Element& element, const ShowChoice& choice, MemoryBudget& budget, Session& session) const {
    const bool json_on_stdout = session.options.json == "-";
    const auto file = !output_.empty() && output_ != "-" ? session.open_output(output_) : nullptr;
    const WriteText write = [&](std::string_view text) {
      if (file)
        file->write(text);
      else
        io::write_all(STDOUT_FILENO, text, "standard output");
    };
    TeeSink sinks;
    if (file || !json_on_stdout) sinks.add(shortened_ ? make_aligned_sink(write) : make_tsv_sink(write));
    if (!session.options.json.empty()) sinks.add(make_json_sink(session.report.result(), sparse_, budget));
    if (has_parts(element))
      render(element, choice, budget, sinks);
    else if (element.kind == io::ElementKind::group)
      list(element, session.report.result(), sinks);
    else
      tell_value(element, session.report.result(), file || !json_on_stdout ? write : WriteText());
    if (file) file->commit();
  }

  static void list(const io::Element& element, Json& result, RowSink& sinks) {
    sinks.begin({"name", "kind", "shape", "value"}, {"string", "string", "string"});
    for (const io::Member& member : element.members) sinks.row({member.name, member.kind, member.shape, member.value});
    sinks.end();
    result["members"] = Json::array();
    for (const io::Member& member : element.members)
      result["members"].push_back(
          {{"name", member.name}, {"kind", member.kind}, {"shape", member.shape}, {"value", json_field(member.value, member.kind)}});
  }

  static void tell_value(const io::Element& element, Json& result, const WriteText& write) {
    result["type"] = element.value_kind;
    result["value"] = element.value_kind == "null" ? Json(nullptr) : json_field(element.value, element.value_kind);
    if (write) write(element.value + "\n");
  }

  std::string object_, output_;
  AxisRequest rows_, columns_;
  std::vector<std::string> row_words_, column_words_;
  bool sparse_ = false, shortened_ = false;
};

}  // namespace

std::unique_ptr<Command> make_show() { return std::make_unique<Show>(); }

}  // namespace quern::cli
