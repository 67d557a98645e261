"""Finds the guards of the C++ sources and rewrites each so that it can be switched off at run time (see quern_mutants.hpp)."""
import re
from dataclasses import dataclass

FOLDERS = ("host", "io", "cli", "datasets")
SYSTEM_CALLS = ("access|chmod|close|dup2|fchmod|fork|fstat|fsync|ftruncate|getrlimit|link|lseek|mkostemp|mkstemp|open|pipe2?|pread|pwrite|read|"
                "rename|renameat2|stat|statvfs|unlink|waitpid|write")
CHECKED_CALL = re.compile(rf"\bH5[A-Z]\w*\(|(?<![\w.>])(?:::)?(?:{SYSTEM_CALLS})\(|\b(?:fd_?|descriptor_?|got|written|count)\s*(?:<=?|==)\s*(?:0|-1)\b")
REFUSAL = re.compile(r"return undecodable\b")
THROW = re.compile(r"\bthrow\b(?!\s*;)")
IF = re.compile(r"\bif\s*\(")
CHECKED = re.compile(r"(?<![\w.:>])(?:checked|made|done)\((?!hid_t |herr_t )")
DECLARATION = re.compile(r"\s*(?:const\s+)?[\w:<>]+[\s*&]+\w+\s*=(?!=)")


@dataclass(frozen=True)
class Site:
    """`kind`: "guard" (a condition that throws or refuses), "checked" (a call of checked, made or done, which throw when HDF5 fails) or "error" (a throw without a condition of its own:
    switched off, it throws something else)."""

    path: str
    line: int
    kind: str
    text: str  # the condition, call or thrown expression, on one line
    start: int
    end: int  # of what is wrapped

    @property
    def name(self):
        """Stable while the source around it changes."""
        return f"{self.path} | {self.kind} | {self.text}"


def without_words(source):
    """The source with comments, literals and preprocessor lines blanked out, of the same length."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'|^[ \t]*#[^\n]*', re.S | re.M)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), source)


def matching(text, at):
    """The place of the bracket that closes the one at `at`."""
    pairs, depth = {"(": ")", "{": "}", "[": "]"}, 0
    opening, closing = text[at], pairs[text[at]]
    for place in range(at, len(text)):
        depth += (text[place] == opening) - (text[place] == closing)
        if depth == 0:
            return place
    raise ValueError("unbalanced brackets")


def statement_end(text, at):
    """The place of the semicolon that ends the statement at `at`."""
    while text[at] != ";":
        at = matching(text, at) if text[at] in "({[" else at
        at += 1
    return at


def _takes_words(text, at):
    """The call has two more arguments, which say what is done to which object."""
    return len(re.findall(r",", re.sub(r"[({[].*[]})]", "", text[at:matching(text, at - 1)], flags=re.S))) >= 2


def argument_end(text, at):
    """The place of the comma that ends the argument at `at`."""
    while text[at] != ",":
        at = matching(text, at) if text[at] in "({[" else at
        at += 1
    return at


def _own_throws(text, start, end):
    """Places of `throw` between start and end that are in no inner braces."""
    found, place = [], start
    while place < end:
        if text[place] in "{(":
            place = matching(text, place)
        elif THROW.match(text, place):
            found.append(place)
        place += 1
    return found


def _is_nested_if(text, place, start):
    """The throw at `place` is the whole body of an `if` (or loop) that lies after `start`."""
    before = text[start:place].rstrip()
    return before.endswith((")", "else"))


def _wrappable(condition):
    """Where in the condition the part that can be wrapped starts; -1: nowhere."""
    depth, start = 0, 0
    for place, letter in enumerate(condition):
        depth += (letter in "({[") - (letter in ")}]")
        if letter == ";" and depth == 0:
            start = place + 1
    return -1 if start == 0 and DECLARATION.match(condition) else start


def _one_line(source):
    return re.sub(r"\s+", " ", source).strip()


def find_in(path, source):
    """The sites of one file, by place."""
    text = without_words(source)
    sites, owned = [], set()

    def add(kind, start, end):
        sites.append(Site(path, source.count("\n", 0, start) + 1, kind, _one_line(source[start:end]), start, end))

    for match in IF.finditer(text):
        opening = match.end() - 1
        closing = matching(text, opening)
        body = closing + 1 + len(text[closing + 1:]) - len(text[closing + 1:].lstrip())
        block = text[body] == "{"
        end = matching(text, body) if block else statement_end(text, body)
        if block:
            throws = [place for place in _own_throws(text, body + 1, end) if not _is_nested_if(text, place, body + 1)]
        else:
            throws = [body] if THROW.match(text, body) else []
        condition = text[opening + 1:closing]
        start = _wrappable(condition)
        if start < 0:
            continue
        refuses = not block and REFUSAL.match(text, body)
        if throws or refuses or CHECKED_CALL.search(condition):
            owned.update(throws)
            begin = opening + 1 + start
            begin += len(text[begin:]) - len(text[begin:].lstrip())
            add("guard", begin, closing)
    for match in THROW.finditer(text):
        if match.start() not in owned:
            start = match.end() + len(text[match.end():]) - len(text[match.end():].lstrip())
            add("error", start, statement_end(text, start))
    for match in CHECKED.finditer(text):
        if not _takes_words(text, match.end()):
            continue
        call = _one_line(source[match.start():matching(text, match.end() - 1) + 1])
        sites.append(Site(path, source.count("\n", 0, match.start()) + 1, "checked", call, match.end(), argument_end(text, match.end())))
    return sorted(sites, key=lambda site: site.start)


def find(root):
    """All sites of a tree, numbered by their place in the list."""
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            found += find_in(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    return found


def names(sites):
    """The sites' names; the second of equal ones in a file ends in #2 and so on."""
    seen, out = {}, []
    for site in sites:
        seen[site.name] = seen.get(site.name, 0) + 1
        out.append(site.name + (f" #{seen[site.name]}" if seen[site.name] > 1 else ""))
    return out


def rewrite(source, numbered):
    """The source with its sites ((number, site)) made switchable."""
    wrapped = {"guard": "guard", "error": "instead", "checked": "returned"}
    inserts = []
    for number, site in numbered:
        inserts += [(site.start, f"quern_mutants::{wrapped[site.kind]}({number}, ("), (site.end, "))")]
    out, place = [], 0
    for at, insert in sorted(inserts, key=lambda item: item[0]):
        out += [source[place:at], insert]
        place = at
    return "".join([*out, source[place:]])
