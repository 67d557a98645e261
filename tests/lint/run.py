#!/usr/bin/env python3
"""The house rules as checks. Standard library only.

run.py RULE [--root DIR] [--build DIR]   exit 0: the rule holds; 1: it does not, or its self-test failed
run.py --list                            names of the rules

A rule is a module in rules/ with
  check(tree) -> list of messages         what breaks the rule, empty when nothing does
  SAMPLES: list of (files, n)             files: {path: text} of a small made-up tree; n: how many messages check must give
Every run first proves on the samples that the rule can fail (and can pass), then looks at the real tree.
"""
import argparse
import importlib
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED_FOLDERS = {".git", ".venv", "__pycache__", "shared"}
CPP = (".cpp", ".hpp", ".cu", ".cuh")


class Tree:
    """A source tree: its files by relative path, and the build folder that belongs to it (may be None)."""

    def __init__(self, root, build=None):
        self.root = pathlib.Path(root)
        self.build = pathlib.Path(build) if build else None
        self.files = sorted(self._walk(self.root))

    def _walk(self, folder):
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                if entry.name not in SKIPPED_FOLDERS and not entry.name.startswith("build"):
                    yield from self._walk(entry)
            elif entry.is_file():
                yield entry.relative_to(self.root).as_posix()

    def text(self, path):
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def cpp(self):
        return [path for path in self.files if path.endswith(CPP)]


def self_test(rule):
    """Messages about samples on which the rule does not do what it says."""
    failures = []
    for files, expected in rule.SAMPLES:
        with tempfile.TemporaryDirectory() as folder:
            for path, text in files.items():
                target = pathlib.Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
                if text.startswith("#!"):
                    target.chmod(0o755)
            found = rule.check(Tree(folder))
        if len(found) != expected:
            failures.append(f"self-test: {sorted(files)}: expected {expected} messages, got {len(found)}: {found}")
    if not any(expected for _, expected in rule.SAMPLES):
        failures.append("self-test: no sample breaks the rule")
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rule", nargs="?")
    parser.add_argument("--root", default=HERE.parent.parent)
    parser.add_argument("--build", default=None)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(HERE))
    names = sorted(path.stem for path in (HERE / "rules").glob("*.py"))
    if options.list or options.rule not in names:
        print("\n".join(names))
        return 0 if options.list else 2
    rule = importlib.import_module(f"rules.{options.rule}")
    messages = self_test(rule) or rule.check(Tree(options.root, options.build))
    for message in messages:
        print(message)
    print(f"{options.rule}: " + (f"{len(messages)} findings" if messages else "holds"))
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
