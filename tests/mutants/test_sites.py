"""The finder of sites, and the list of those that no test can reach."""
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import sites  # noqa: E402
import unreachable  # noqa: E402

FORMS = [
    ("void f() {\n  if (a < b) throw Error(1);\n}", [("guard", "a < b")], "if (quern_mutants::guard(0, (a < b))) throw Error(1);"),
    ("if (x) {\n  y();\n  throw z();\n}", [("guard", "x")], "if (quern_mutants::guard(0, (x))) {"),
    ("if (x) {\n  if (y)\n    throw z();\n}", [("guard", "y")], "if (quern_mutants::guard(0, (y)))"),
    ("if (const int n = f(); n < 0) throw e();", [("guard", "n < 0")], "if (const int n = f(); quern_mutants::guard(0, (n < 0))) throw"),
    ("if (const auto found = f()) throw e();", [("error", "e()")], "throw quern_mutants::instead(0, (e()));"),
    ("throw input_error(\"a;b)\", x);", [("error", 'input_error("a;b)", x)')], 'throw quern_mutants::instead(0, (input_error("a;b)", x)));'),
    ("if (H5Aread(a, b) < 0) return 1;", [("guard", "H5Aread(a, b) < 0")], "if (quern_mutants::guard(0, (H5Aread(a, b) < 0))) return 1;"),
    ("if (at > size) return undecodable;", [("guard", "at > size")], "quern_mutants::guard(0, (at > size))"),
    ("T t(checked(H5Tcopy(a), where, \"copy\"));", [("checked", 'checked(H5Tcopy(a), where, "copy")')],
     'checked(quern_mutants::returned(0, (H5Tcopy(a))), where, "copy")'),
    ("inline hid_t checked(hid_t id, const S& o, const char* d) {", [], "checked(hid_t id"),
    ("try {} catch (...) { throw; }", [], "throw;"),
    ("if (x) return 1; // throw\n", [], "if (x)"),
]
STEPS = [
    ("cli/a.cpp", "void f() {\n  out.close();\n  other();\n}", [("step", "out.close()")], "{\n  quern_mutants::acts(0) ? static_cast<void>(out.close()) : void();\n"),
    ("io/safe_x.cpp", "void f() {\n  if (a)\n    g(1);\n  else\n    h().i();\n}", [("step", "g(1)"), ("step", "h().i()")], "acts(1) ? static_cast<void>(h().i())"),
    ("io/safe_x.cpp", "if (fsync(a) != 0) throw e();", [("guard", "fsync(a) != 0"), ("call", "fsync(a)")],
     "if (quern_mutants::guard(0, ((quern_mutants::acts(1) ? (fsync(a)) : 0) != 0)))"),
    ("io/safe_x.cpp", "T f() {\n  return g(1);\n  T x(2);\n  v.reserve(3);\n}", [], "return g(1);"),
]


@pytest.mark.parametrize("path, source, found, rewritten", [*(("a.cpp", *form) for form in FORMS), *STEPS])
def test_forms(path, source, found, rewritten):
    numbered = list(enumerate(sites.find_in(path, source)))
    assert [(site.kind, site.text) for _, site in numbered] == found
    assert rewritten in sites.rewrite(source, numbered)


def test_tree_has_sites_with_names_of_their_own():
    names = sites.names(sites.find(HERE.parent.parent))
    assert len(names) > 300 and len(set(names)) == len(names)


def test_list_of_unreachable_sites_is_not_stale():
    names = set(sites.names(sites.find(HERE.parent.parent)))
    reasons = unreachable.read()
    assert set(reasons) - names == set()
    assert all(len(reason) > 20 for reason in reasons.values())
