"""What the writers do so that a file is whole or not there: steps that can be left out, and expressions that can be wrong."""
import re

# Files all of whose statements that are one call, and nothing else, are steps.
WRITERS = re.compile(r"io/(safe_\w+|output_places|part_registry|input_stamps|temporary_file|file_errors|carry/h5ad_output|h5ad_write/output_file|"
                     r"tables/text_output|mtx/mtx_out)\.cpp|cli/(convert_(?!tell)\w+|h5ad_writing|signals)\.cpp")
# Elsewhere in what writes only calls of these.
NAMED = re.compile(r"(?:(?:\w+(?:\.|->))*(?:close|commit|check|finish|stream)|(?:io::)?(?:resolve_output|resolve_folder|require_free_space))$")
NAMED_IN = re.compile(r"(io/carry|io/h5ad_write|cli|datasets)/")
# Calls whose result a condition looks at: as if they had been made, and had gone well.
CALLS = re.compile(r"(?<![\w.>:])(fsync|ftruncate|lseek|fchmod|chmod|fallocate)\(")
STATEMENT = re.compile(r"(?<=[;{})])(\s*(?:else\b\s*)?)((?:\w+(?:\([^()]*\))?(?:\.|->|::))*\w+)\(")
NO_CALLS = ("if", "for", "while", "switch", "return", "static_assert", "catch", "throw")
LEFT_OUT = re.compile(r"(?:\w+(?:\.|->))*(?:reserve|reset)|deflateEnd|throw_\w+|keep_hdf5_quiet")  # which only save time or memory, throw on a condition, or say less

# (file, what stands before, expression, what a wrong program has in its place). The two must be in one place of the file only.
WRONG = (
    ("io/output_places.cpp", "return ", '(fs::path(target).parent_path() / (stem + random_word() + ".part")).string()', "target"),
    ("io/output_places.cpp", "", "std::to_string(getpid())", 'std::string("0")'),
    ("io/output_places.cpp", "return ", "kill(process, 0) == 0 || errno != ESRCH", "true"),
    ("io/safe_file.cpp", "return ", "a.st_dev == b.st_dev && a.st_ino == b.st_ino", "false"),
    ("io/safe_file.cpp", "target_.path.c_str(), ", "RENAME_NOREPLACE", "0U"),
    ("io/safe_directory.cpp", "target_.path.c_str(), ", "RENAME_NOREPLACE", "0U"),
    ("io/safe_file.cpp", "result.path = ", "follow_links(target)", "target"),
    ("io/safe_file.cpp", "if (", "force_", "true"),
    ("io/part_registry.cpp", "&& ", "unlink(slot.path)", "0"),
    ("io/carry/h5ad_output.cpp", "|| ", "free_bytes >= static_cast<std::uint64_t>(bytes)", "true"),
    ("io/file_errors.cpp", "bytes.remove_prefix(", "static_cast<std::size_t>(written)", "bytes.size()"),
    ("io/temporary_file.cpp", "data = ", "data.subspan(static_cast<std::size_t>(n))", "data.last(0)"),
    ("io/temporary_file.cpp", "out = ", "out.subspan(static_cast<std::size_t>(n))", "out.last(0)"),
)


def statements(path, text, matching):
    """(start, end) of the calls that are whole statements and steps of writing; `text` has no words."""
    for match in STATEMENT.finditer(text):
        name = match.group(2)
        if name.split("(")[0] in NO_CALLS or LEFT_OUT.fullmatch(name):
            continue
        end, last = matching(text, match.end() - 1) + 1, name
        while more := re.compile(r"(?:\.|->)(\w+)\(").match(text, end):
            end, last = matching(text, more.end() - 1) + 1, f"{name}.{more.group(1)}"
        if text[end] == ";" and (WRITERS.fullmatch(path) or (NAMED_IN.match(path) and NAMED.fullmatch(last))):
            yield match.start(2), end


def calls(path, text, matching):
    """(start, end) of system calls in conditions."""
    for match in CALLS.finditer(text) if WRITERS.fullmatch(path) else ():
        end = matching(text, match.end() - 1) + 1
        if text[end] != ";":
            yield match.start(), end


def wrong(path, source):
    """(start, end, replacement) of this file's wrong expressions."""
    for place, before, expression, replacement in WRONG:
        if place == path:
            if source.count(before + expression) != 1:
                raise ValueError(f"{path}: {before}{expression}: {source.count(before + expression)} times")
            start = source.index(before + expression) + len(before)
            yield start, start + len(expression), replacement
