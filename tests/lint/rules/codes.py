"""Every error and warning code of the program is in the manual with its exit code, and the manual lists no other."""
import re

MANUAL = "docs/manual.md"
FOLDERS = ("host/", "io/", "cli/", "cuda/", "datasets/")
EXIT_CODES = {"internal": 1, "usage": 2, "input": 3, "output": 4, "resources": 5, "resource": 5, "device": 6}

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)
LITERAL = re.compile(r'"((?:\\.|[^"\\\n])*)"')
WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
FACTORY = re.compile(r"\b(usage|input|output|resource|device)_error\s*\(")
ERROR = re.compile(r"\bError(?:\s+\w+)?\s*\(\s*ErrorKind::(\w+)\s*,")
# Functions that take a code as a parameter of that name, found by their declarations.
TAKES_CODE = re.compile(r"\b(\w+)\s*\(([^()]*\bconst std::string& code\b[^()]*)\)")
ASSIGNED = re.compile(r"\bcode\s*=\s*([^;=][^;]*);")
# Arguments that hand a code on which was written out elsewhere.
HANDED_ON = re.compile(r"\bcode\b|\bparts\[0\]|[Ww]arnings\b")
LISTED = re.compile(r"\b(warning|problem)s_?\.(?:push|emplace)_back\s*\(\s*\{?")


def _without_comments(text):
    return TOKEN.sub(lambda found: " " if found.group().startswith("/") else found.group(), text)


def _arguments(text, start):
    """The arguments of the call whose opening bracket ends at `start`, as texts; [] where the bracket is not closed."""
    depth, at, first, parts = 1, start, start, []
    while at < len(text) and depth:
        token = TOKEN.match(text, at)
        if token:
            at = token.end()
            continue
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0 or (depth == 1 and text[at] == ","):
            parts.append(text[first:at])
            first = at + 1
        at += 1
    return parts if not depth else []


def _codes(argument):
    """(codes in the argument, or a complaint): written out or chosen, never put together."""
    words = LITERAL.findall(argument)
    if not words:
        return [], None if HANDED_ON.search(argument) else f"cannot tell the code: {' '.join(argument.split())}"
    if "+" in LITERAL.sub("", argument):
        return [], f"a code is put together: {' '.join(argument.split())}"
    # In a choice the condition may hold other texts; what stands behind the question mark counts.
    words = LITERAL.findall(argument.split("?", 1)[-1])
    wrong = [word for word in words if not WORD.fullmatch(word)]
    return words, f"not a code: {wrong}" if wrong else None


def _functions(texts):
    """{name: position of the parameter `code`} of the functions declared with one."""
    found = {}
    for text in texts.values():
        for name, parameters in TAKES_CODE.findall(text):
            position = next(i for i, part in enumerate(parameters.split(",")) if part.strip() == "const std::string& code")
            found[name] = position
    return found


def _uses(text, functions):
    """(kind of use, argument that holds the code): kind is an exit code, "warning" or None (could be either)."""
    for found in FACTORY.finditer(text):
        arguments = _arguments(text, found.end())
        if arguments:
            yield EXIT_CODES[found.group(1)], arguments[0]
    for found in ERROR.finditer(text):
        arguments = _arguments(text, found.end())
        if arguments:
            yield EXIT_CODES[found.group(1)], arguments[0]
    for found in LISTED.finditer(text):
        arguments = _arguments(text, found.end())
        place = 1 if found.group(1) == "problem" else 0
        if len(arguments) > place:
            yield 3 if place else "warning", arguments[place]
    for found in ASSIGNED.finditer(text):
        if LITERAL.search(found.group(1)):
            yield None, found.group(1)
    for name, place in functions.items():
        for found in re.finditer(rf"\b{name}\s*\(", text):
            arguments = _arguments(text, found.end())
            if len(arguments) > place:
                yield "warning" if "warn" in name else None, arguments[place]


def _used(tree):
    """({code: kinds}, complaints) of the sources."""
    texts = {path: _without_comments(tree.text(path)) for path in tree.cpp() if path.startswith(FOLDERS)}
    functions = _functions(texts)
    used, complaints = {}, []
    for path, text in texts.items():
        for kind, argument in _uses(text, functions):
            codes, complaint = _codes(argument)
            if complaint:
                complaints.append(f"{path}: {complaint}")
            for code in codes:
                used.setdefault(code, set()).add(kind)
    return used, complaints


def _section(manual, title):
    """The rows of the table under the heading: {code: second column}."""
    body = re.split(rf"^#+ {title}$", manual, flags=re.M)
    if len(body) != 2:
        return {}
    body = re.split(r"^#+ ", body[1], maxsplit=1, flags=re.M)[0]
    return {row[0]: row[1].strip() for row in re.findall(r"^\| `([^`]+)` \|([^|]*)\|", body, flags=re.M)}


def check(tree):
    if MANUAL not in tree.files:
        return [f"{MANUAL} is missing"]
    manual = tree.text(MANUAL)
    errors, warnings = _section(manual, "Error codes"), _section(manual, "Warning codes")
    used, found = _used(tree)
    for code, kinds in sorted(used.items()):
        exits = {str(kind) for kind in kinds if isinstance(kind, int)}
        listed = set(re.findall(r"\d+", errors.get(code, "")))
        if exits - listed:
            found.append(f"{MANUAL}: error {code} (exit {', '.join(sorted(exits))}) is not listed so")
        if "warning" in kinds and code not in warnings:
            found.append(f"{MANUAL}: warning {code} is not listed")
        if kinds == {None} and code not in errors and code not in warnings:
            found.append(f"{MANUAL}: {code} is not listed")
    found += [f"{MANUAL}: {code} is listed but used nowhere" for code in sorted({*errors, *warnings} - set(used))]
    found += [f"{MANUAL}: warning {code} is listed but is none" for code in sorted(set(warnings) & set(used)) if not {"warning", None} & used[code]]
    return found


_MANUAL_TEXT = "### Error codes\n\n| code | exit | what |\n|---|---|---|\n| `bad-a` | 3 | x |\n\n### Warning codes\n\n| code | what |\n|---|---|\n"
_GOOD = {MANUAL: _MANUAL_TEXT, "io/a.cpp": '// input_error("in-a-comment")\nthrow input_error(\n    "bad-a", path, "x, y");\n'}
SAMPLES = [
    (_GOOD, 0),
    ({"io/a.cpp": ""}, 1),
    ({**_GOOD, "io/a.cpp": 'throw usage_error("bad-a", "");\n'}, 1),
    ({**_GOOD, "cli/b.cpp": 'throw Error(ErrorKind::internal, "odd", "", "x");\n'}, 1),
    ({**_GOOD, "cli/b.cpp": 'throw input_error(errno == 1 ? "bad-b" : "bad-c", "");\n'}, 2),
    ({**_GOOD, "cli/b.cpp": 'throw input_error(x == "other" ? "bad-a" : "bad-c", "");\n'}, 1),
    ({**_GOOD, "cli/b.cpp": 'throw input_error("bad-" + what, "");\n'}, 1),
    ({**_GOOD, "cli/b.cpp": 'info.warnings.push_back({"odd-name", "x"});\ninfo.problems.push_back({object, "bad-a", "x"});\n'}, 1),
    ({**_GOOD, "cli/b.hpp": 'void warn(const std::string& code, const std::string& text);\n', "cli/b.cpp": 'warn("old-file", "x");\n'}, 1),
    ({**_GOOD, "cli/b.hpp": 'void keep(int n, const std::string& code);\n', "cli/b.cpp": 'keep(f(1, 2), "no-such-b");\n'}, 1),
    ({**_GOOD, "cli/b.cpp": 'const std::string code = a == b ? "bad-b" : "bad-c";\nthrow input_error(code, "");\n'}, 2),
    ({**_GOOD, "cli/b.cpp": 'throw input_error(word, "");\n'}, 1),
    ({**_GOOD, MANUAL: _MANUAL_TEXT + "| `unused` | x |\n"}, 1),
    ({**_GOOD, MANUAL: _MANUAL_TEXT + "| `bad-a` | x |\n"}, 1),
]
