"""Every allocation that counts against --memory is in the manual's table, and the table names no other."""
import re

MANUAL = "docs/manual.md"
FOLDERS = ("host/", "io/", "cli/", "cuda/", "datasets/")
CLAIM = re.compile(r"(?:\.|->)claim\s*\(\s*(?:\"([^\"]+)\"|([^)\s][^,)]*))")


def _claimed(tree):
    """({name}, complaints) of the sources."""
    names, complaints = set(), []
    for path in tree.cpp():
        if path.startswith(FOLDERS):
            text = re.sub(r"//[^\n]*", "", tree.text(path))
            for name, other in CLAIM.findall(text):
                if name:
                    names.add(name)
                else:
                    complaints.append(f"{path}: the name of a claim is not written out: {other}")
    return names, complaints


def _listed(manual):
    body = re.split(r"^#+ What counts against --memory$", manual, flags=re.M)
    if len(body) != 2:
        return set()
    body = re.split(r"^#+ ", body[1], maxsplit=1, flags=re.M)[0]
    return {name.strip() for name in re.findall(r"^\| ([^|]+) \|", body, flags=re.M)} - {"what"}


def check(tree):
    if MANUAL not in tree.files:
        return [f"{MANUAL} is missing"]
    names, found = _claimed(tree)
    listed = _listed(tree.text(MANUAL))
    found += [f"{MANUAL}: '{name}' is claimed but not in the table" for name in sorted(names - listed)]
    return found + [f"{MANUAL}: '{name}' is in the table but claimed nowhere" for name in sorted(listed - names)]


_TABLE = "### What counts against --memory\n\n| what | how much |\n|---|---|\n| ring of chunks | x |\n\n### Next\n\n| other | x |\n"
_GOOD = {MANUAL: _TABLE, "host/a.cpp": 'x_ = budget.claim("ring of chunks", 8);\n', "host/a.hpp": "Claim claim(const std::string& what, int n);\n"}
SAMPLES = [
    (_GOOD, 0),
    ({"host/a.cpp": ""}, 1),
    ({**_GOOD, "io/b.cpp": 'budget.claim("names", 8);\n'}, 1),
    ({**_GOOD, "io/b.cpp": "budget.claim(name, 8);\n"}, 1),
    ({**_GOOD, "host/a.cpp": ""}, 1),
    ({**_GOOD, "io/b.cpp": '// budget.claim("names", 8);\n'}, 0),
]
