"""The licence is there and the changelog has a section for what comes next."""


def _text(tree, path):
    return tree.text(path) if path in tree.files else ""


def check(tree):
    found = []
    licence = _text(tree, "LICENSE")
    if "BSD 3-Clause License" not in licence or "The Quern developers" not in licence:
        found.append('LICENSE: expected the BSD 3-Clause License of "The Quern developers"')
    if "## [Unreleased]" not in _text(tree, "CHANGELOG.md"):
        found.append("CHANGELOG.md: expected a section [Unreleased]")
    return found


SAMPLES = [
    ({"LICENSE": "BSD 3-Clause License\nCopyright (c) The Quern developers\n", "CHANGELOG.md": "## [Unreleased]\n"}, 0),
    ({"LICENSE": "MIT\n"}, 2),
]
