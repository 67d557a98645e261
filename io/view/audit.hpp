// What is wrong with a file, and what is worth knowing, for `quern check`.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/view/viewer.hpp"

namespace quern::io {

enum class Severity { error, warning, note };
const char* severity_name(Severity severity);

struct Finding {
  Severity severity = Severity::error;
  std::string object, code, text;
};

// What is found, and which further matrices there are to read.
class Findings {
 public:
  void tell_finding(Severity severity, const std::string& object, const std::string& code, const std::string& text) {
    list.push_back({severity, object, code, text});
  }
  // As an error; Errors that are no finding (resources, usage, internal) are thrown again.
  void add(const Error& error, const std::string& object);

  std::vector<Finding> list;
  std::vector<std::string> matrices;  // paths, besides FileInfo::matrices
};

// Through the probe's pipe and back. Texts are cut at zero bytes.
std::string pack_findings(const Findings& findings);
Findings unpack_findings(const std::string& packed);

// Structure, types, encodings and lengths of every element; `deep` also reads everything but matrices of numbers. Belongs into a probe.
Findings audit_elements(Viewer& viewer, bool deep);

// Called now and then; may throw to stop.
using AuditProgress = std::function<void(std::int64_t done, std::int64_t total, std::int64_t values)>;

// The pointers of a sparse matrix; `deep` reads every stored index and value of any matrix. `of_genes`: cells by genes, where negative
// values are worth a note. Returns how many values were read.
std::int64_t audit_matrix(const MatrixInput& input, bool of_genes, bool deep, MemoryBudget& budget, const AuditProgress& progress,
                          Findings& findings);

}  // namespace quern::io
