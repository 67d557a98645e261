#include "io/view/audit.hpp"

#include <sstream>

namespace quern::io {

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      break;
  }
  return "note";
}

void Findings::add(const Error& error, const std::string& object) {
  if (error.kind() != ErrorKind::input) throw error;
  tell_finding(Severity::error, error.object().empty() ? object : error.object(), error.code(), error.what());
}

std::string pack_findings(const Findings& findings) {
  std::string packed;
  const auto append = [&](const std::string& text) { packed += text.c_str() + std::string(1, '\0'); };
  for (const std::string& path : findings.matrices) {
    append("matrix");
    append(path);
  }
  for (const Finding& finding : findings.list) {
    append(severity_name(finding.severity));
    append(finding.object);
    append(finding.code);
    append(finding.text);
  }
  return packed;
}

Findings unpack_findings(const std::string& packed) {
  std::istringstream stream(packed);
  const auto next = [&] {
    std::string text;
    std::getline(stream, text, '\0');
    return text;
  };
  Findings findings;
  while (stream.peek() != std::istringstream::traits_type::eof()) {
    const std::string word = next();
    if (word == "matrix") {
      findings.matrices.push_back(next());
      continue;
    }
    const Severity severity = word == "error" ? Severity::error : word == "warning" ? Severity::warning : Severity::note;
    Finding finding{severity, next(), {}, {}};
    finding.code = next();
    finding.text = next();
    findings.list.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace quern::io
