"""Every verb and every option of the command line is in the manual, and the manual speaks of no other."""
import re

MANUAL = "docs/manual.md"
DECLARED = re.compile(r'\bset\.(?:text|flag|integer|real|number|size|choice|list|output)\s*\(\s*"([^"]+)"')
VERB = re.compile(r'^\s*\{"([a-z]+)",\s*(?:"|\n)', re.M)
LONG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
BOOTSTRAP = re.compile(r"`\./bootstrap[^`]*`")  # has options of its own
# The parser declares these itself.
ALWAYS = {"--help", "--version"}


def check(tree):
    if MANUAL not in tree.files:
        return [f"{MANUAL} is missing"]
    manual = tree.text(MANUAL)
    declared = set(ALWAYS)
    for path in tree.cpp():
        if path.startswith("cli/"):
            for names in DECLARED.findall(tree.text(path)):
                declared.update(LONG.findall(names))
    told = set(LONG.findall(BOOTSTRAP.sub("", manual)))
    found = [f"{MANUAL}: does not tell of {name}" for name in sorted(declared - told)]
    found += [f"{MANUAL}: tells of {name}, which no verb has" for name in sorted(told - declared)]
    verbs = VERB.findall(tree.text("cli/verbs.cpp")) if "cli/verbs.cpp" in tree.files else []
    titles = {word for title in re.findall(r"^### (.+)$", manual, re.M) for word in title.split(", ")}
    return found + [f"{MANUAL}: no section tells of the verb {verb}" for verb in verbs if verb not in titles]


_MANUAL_TEXT = "`--help` `--version`\n\n### look, find\n\n| `--rows A:B` | some |\n"
_VERBS = 'const std::vector<Verb> table{\n    {"look", "see",\n     "quern look\\n"},\n    {"find", "see"},\n};\n'
_GOOD = {MANUAL: _MANUAL_TEXT, "cli/verbs.cpp": _VERBS, "cli/look.cpp": 'set.text("-r,--rows", "A:B", rows_, "some");\n'}
SAMPLES = [
    (_GOOD, 0),
    ({**_GOOD, MANUAL: _MANUAL_TEXT + "\n`./bootstrap build --gpu` builds it\n"}, 0),
    ({"cli/look.cpp": ""}, 1),
    ({**_GOOD, "cli/find.cpp": 'set.flag(\n    "--fast", fast_, "");\n'}, 1),
    ({**_GOOD, "cli/look.cpp": ""}, 1),
    ({**_GOOD, "cli/verbs.cpp": _VERBS.replace('"find"', '"seek"')}, 1),
]
