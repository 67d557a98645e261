"""Finds the guards of the C++ sources and rewrites each so that it can be switched off at run time (see quern_mutants.hpp)."""
import re
import zlib
from dataclasses import dataclass

import steps

MOST_SITES = 1 << 20  # also in quern_mutants.hpp
FOLDERS = ("host", "io", "cli", "datasets")
SYSTEM_CALLS = ("access|chmod|close|dup2|fallocate|fchmod|fork|fstat|fsync|ftruncate|getrlimit|kill|link|lseek|mkostemp|mkstemp|mmap|open|pipe2?|pread|pwrite|"
                "read|rename|renameat2|sched_getaffinity|stat|statvfs|unlink|waitpid|write")
CODEC_CALLS = r"(?:inflate|deflate|gz|ZSTD_|libdeflate_|LZ4_|blosc_)\w+"
FOREIGN = re.compile(rf"\bH5(?!E)[A-Z]\w*\(|(?<![\w.>])(?:::)?(?:{SYSTEM_CALLS}|{CODEC_CALLS})\(|(?<![\w.>])Close\(")
FAILED = r"\s*(?:<=?\s*0|[!=]=\s*(?:0|-1|HADDR_UNDEF))\b"
DESCRIPTOR = re.compile(rf"\b(?:fd_?|descriptor_?){FAILED}|== undecodable\b")
SUCCEEDED = re.compile(r"\s*>=\s*0\b")
HOLDS_RETURNED = re.compile(r"\b(?:auto|int|[su]?size_t|\w+_t|std::size_t)\s+(\w+)\s*=[^;=]*?\b(?:H5(?!E)[A-Z]\w*|%s|%s)\(" % (SYSTEM_CALLS, CODEC_CALLS))
HOLDS_HANDLE = re.compile(r"\b(?:\w*Handle|Descriptor)\s+(\w+)\s*[({=]")
COMPARED = re.compile(r"\s*(<|!=|>=|==)\s*(?:0|-1|Z_OK|LIBDEFLATE_SUCCESS)\b")
REFUSAL = re.compile(r"return undecodable\b")
THROW = re.compile(r"\bthrow\b(?!\s*;)")
NO_RETURN = re.compile(r"\[\[noreturn\]\][^;{}(]*?(\w+)\(")
IF = re.compile(r"\bif\s*\(")
CHECKED = re.compile(r"(?<![\w.:>])(?:checked|made|done)\((?!hid_t |herr_t )")
DECLARATION = re.compile(r"\s*(?:const\s+)?[\w:<>]+[\s*&]+\w+\s*=(?!=)")


@dataclass(frozen=True)
class Site:
    """`kind` is one of README.md's."""

    path: str
    line: int
    kind: str
    text: str  # the condition, call or thrown expression, on one line
    start: int
    end: int  # of what is wrapped
    instead: str = ""  # of a wrong expression: what it becomes

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


def argument_end(text, at):
    """The place of the comma that ends the argument at `at`."""
    while text[at] != ",":
        at = matching(text, at) if text[at] in "({[" else at
        at += 1
    return at


def split(text, start, end, operator):
    """(start, end) of what the operator joins between start and end; one part where a `?` binds less."""
    cuts, place = [], start
    while place < end:
        if text[place] in "({[":
            place = matching(text, place)
        elif text[place] == "?":
            cuts = []
            break
        elif text.startswith(operator, place):
            cuts.append(place)
        place += 1
    return list(zip([start, *(cut + len(operator) for cut in cuts)], [*cuts, end]))


def _takes_words(text, at):
    """The call has two more arguments, which say what is done to which object."""
    return len(split(text, at, matching(text, at - 1), ",")) >= 3


def _own_throws(text, start, end, throws):
    """Places of what throws between start and end that are in no inner braces."""
    found, place = [], start
    while place < end:
        if text[place] in "{(":
            place = matching(text, place)
        elif throws.match(text, place):
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


class Finder:
    """The sites of one file."""

    def __init__(self, path, source, no_return):
        self.path, self.source, self.text = path, source, without_words(source)
        names = "|".join(sorted({*no_return, *NO_RETURN.findall(source)}))
        self.throws = re.compile(THROW.pattern + (rf"|(?<![\w.>:])(?:{names})\(" if names else ""))
        returned = set(HOLDS_RETURNED.findall(self.text))
        self.returned = re.compile(rf"\b(?:{'|'.join(returned)}){FAILED}") if returned else None
        self.succeeded = re.compile(rf"\s*(?:{'|'.join(returned)}){SUCCEEDED.pattern}\s*$") if returned else None
        handles = set(HOLDS_HANDLE.findall(self.text))
        self.handles = re.compile(rf"!(?:{'|'.join(handles)})\b(?![.(-])") if handles else None
        self.sites = []
        self.owned = set()  # places of throws that have a guard

    def add(self, kind, start, end, text=None, instead=""):
        inside = self.source[start:end]
        start, end = start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())
        self.sites.append(Site(self.path, self.source.count("\n", 0, start) + 1, kind, text or _one_line(self.source[start:end]), start, end,
                               instead))

    def covers(self, place):
        return any(site.start <= place < site.end for site in self.sites)

    def looks_at_a_return(self, condition):
        patterns = (FOREIGN, DESCRIPTOR, self.returned, self.handles)
        return any(pattern and pattern.search(condition) for pattern in patterns)

    def compares_well(self, start, end):
        """The condition has a comparison that holds when the call succeeded; comparisons() finds it."""
        calls = FOREIGN.finditer(self.text, start, end)
        return any(self.compared(match) in (">=", "==") for match in calls)

    def compared(self, call):
        """How what the call returns is compared to what means success or failure; None when it is not."""
        found = COMPARED.match(self.text, matching(self.text, call.end() - 1) + 1)
        if not found or (found.group(1) == "==" and call.group().startswith("H5")):
            return None  # a place, not a status
        return found.group(1)

    def guards(self):
        text = self.text
        for match in IF.finditer(text):
            opening = match.end() - 1
            closing = matching(text, opening)
            body = closing + 1 + len(text[closing + 1:]) - len(text[closing + 1:].lstrip())
            block = text[body] == "{"
            end = matching(text, body) if block else statement_end(text, body)
            if block:
                throws = [place for place in _own_throws(text, body + 1, end, self.throws) if not _is_nested_if(text, place, body + 1)]
            else:
                throws = [body] if self.throws.match(text, body) else []
            start = _wrappable(text[opening + 1:closing])
            if start < 0:
                continue
            ends_here = throws or (not block and REFUSAL.match(text, body))
            for first, last in split(text, opening + 1 + start, closing, "||"):
                if ends_here:
                    self.owned.update(throws)
                    self.add("guard", first, last)
                elif self.succeeded and self.succeeded.match(text[first:last]):
                    self.add("holds", first, last)
                elif self.looks_at_a_return(text[first:last]) and not self.compares_well(first, last):
                    self.add("guard", first, last)

    def errors(self):
        for match in THROW.finditer(self.text):
            if match.start() not in self.owned:
                start = match.end() + len(self.text[match.end():]) - len(self.text[match.end():].lstrip())
                self.add("error", start, statement_end(self.text, start))

    def checked(self):
        for match in CHECKED.finditer(self.text):
            if _takes_words(self.text, match.end()):
                call = _one_line(self.source[match.start():matching(self.text, match.end() - 1) + 1])
                self.add("checked", match.end(), argument_end(self.text, match.end()), call)

    def choices(self):
        """Of `a ? b : undecodable` the parts of a."""
        for match in re.finditer(r"\breturn\b([^;?]*)\?([^;?]*);", self.text):
            if "undecodable" in match.group(2):
                good_first = match.group(2).rstrip().endswith("undecodable")
                for first, last in split(self.text, match.start(1), match.end(1), "&&" if good_first else "||"):
                    self.add("holds" if good_first else "guard", first, last)

    def comparisons(self):
        """What was returned is compared where no condition above does."""
        for match in FOREIGN.finditer(self.text):
            operator = self.compared(match)
            if operator and not self.covers(match.start()):
                end = COMPARED.match(self.text, matching(self.text, match.end() - 1) + 1).end()
                self.add("holds" if operator in (">=", "==") else "guard", match.start(), end)

    def steps(self):
        for start, end in steps.statements(self.path, self.text, matching):
            self.add("step", start, end)
        for start, end in steps.calls(self.path, self.text, matching):
            self.add("call", start, end)

    def wrong(self):
        for start, end, instead in steps.wrong(self.path, self.source):
            self.add("wrong", start, end, _one_line(f"{self.source[start:end]} -> {instead}"), instead)

    def find(self):
        self.guards()
        self.errors()
        self.checked()
        self.choices()
        self.comparisons()
        self.steps()
        self.wrong()
        return sorted(self.sites, key=lambda site: site.start)


def find_in(path, source, no_return=()):
    """The sites of one file, by place; `no_return`: functions declared elsewhere that only throw."""
    return Finder(path, source, no_return).find()


def find(root):
    """All sites of a tree, numbered by their place in the list."""
    sources = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.[ch]pp")):
            sources[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    no_return = {name for source in sources.values() for name in NO_RETURN.findall(source)}
    return [site for path, source in sources.items() for site in find_in(path, source, no_return)]


def names(sites):
    """The sites' names; the second of equal ones in a file ends in #2 and so on."""
    seen, out = {}, []
    for site in sites:
        seen[site.name] = seen.get(site.name, 0) + 1
        out.append(site.name + (f" #{seen[site.name]}" if seen[site.name] > 1 else ""))
    return out


def numbers(names):
    """A number below 2^20 for each name that does not depend on the others (but where two would get the same)."""
    taken = {}
    for name in names:
        number = zlib.crc32(name.encode())
        while taken.setdefault(number % MOST_SITES, name) != name:
            number += 1
    return {name: number for number, name in taken.items()}


_AROUND = {
    "guard": ("quern_mutants::guard({0}, (", "))"), "holds": ("quern_mutants::holds({0}, (", "))"), "error": ("quern_mutants::instead({0}, (", "))"),
    "checked": ("quern_mutants::returned({0}, (", "))"), "step": ("quern_mutants::acts({0}) ? static_cast<void>(", ") : void()"),
    "call": ("(quern_mutants::acts({0}) ? (", ") : 0)"), "wrong": ("(quern_mutants::acts({0}) ? (", ") : ({1}))"),
}


def rewrite(source, numbered):
    """The source with its sites ((number, site)) made switchable. Sites may lie in each other."""
    inserts = []
    for number, site in numbered:
        before, after = (words.format(number, site.instead) for words in _AROUND[site.kind])
        inserts += [(site.start, 1, -site.end, before), (site.end, 0, -site.start, after)]
    out, place = [], 0
    for at, _, _, insert in sorted(inserts):
        out += [source[place:at], insert]
        place = at
    return "".join([*out, source[place:]])
