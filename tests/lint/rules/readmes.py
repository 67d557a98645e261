"""Every folder is explained: top folders and those of host/ by a README of their own, deeper ones by name (`name/`) in the README above."""
import re

OWN_README = re.compile(r"[^/]+|host/[^/]+")
CPP_FOLDERS = re.compile(r"(host/[^/]+|io|cli|cuda)")
MAY_INCLUDE = re.compile(r"^May include:", re.M)


def _folders(tree):
    found = set()
    for path in tree.files:
        parts = path.split("/")[:-1]
        found.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return sorted(folder for folder in found if not folder.startswith("."))


def _readme_above(tree, folder):
    while "/" in folder:
        folder = folder.rsplit("/", 1)[0]
        if f"{folder}/README.md" in tree.files:
            return f"{folder}/README.md"
    return "README.md"


def _check_folder(tree, folder):
    own = f"{folder}/README.md"
    if own not in tree.files:
        above = _readme_above(tree, folder)
        name = folder.rsplit("/", 1)[-1] + "/"
        if OWN_README.fullmatch(folder):
            return [f"{folder}: has no README.md"]
        if above not in tree.files or f"`{name}`" not in tree.text(above):
            return [f"{folder}: neither a README.md nor a word about `{name}` in {above}"]
        return []
    if CPP_FOLDERS.fullmatch(folder) and not MAY_INCLUDE.search(tree.text(own)):
        return [f'{own}: does not say what the folder may include (a line "May include: ...")']
    return []


def check(tree):
    found = [] if "README.md" in tree.files else ["README.md is missing"]
    for folder in _folders(tree):
        found += _check_folder(tree, folder)
    return found


GOOD = {"README.md": "x", "io/README.md": "May include: `host/core`.\n\n`hdf5/` talks to HDF5.\n", "io/hdf5/a.cpp": ""}
SAMPLES = [
    (GOOD, 0),
    ({**GOOD, "README.md": "x", "cli/main.cpp": ""}, 1),
    ({**GOOD, "io/mtx/a.cpp": ""}, 1),
    ({**GOOD, "io/README.md": "`hdf5/`"}, 1),
    ({"io/README.md": "May include: nothing.\n"}, 1),
]
