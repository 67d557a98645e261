"""Shell scripts pass shellcheck."""
import subprocess


def _is_shell(tree, path):
    if path.endswith((".sh", ".bash")):
        return True
    with open(tree.root / path, "rb") as file:
        first = file.readline(80)
    return first.startswith(b"#!") and (b"bash" in first or first.rstrip().endswith(b"/sh"))


def check(tree):
    scripts = [path for path in tree.files if _is_shell(tree, path)]
    if not scripts:
        return []
    done = subprocess.run(["shellcheck", "--format=gcc", *scripts], cwd=tree.root, capture_output=True, text=True, check=False)
    return done.stdout.splitlines() or ([done.stderr.strip()] if done.returncode else [])


SAMPLES = [
    ({"tool": '#!/usr/bin/env bash\necho "$1"\n'}, 0),
    ({"tool": "#!/usr/bin/env bash\necho $1\n"}, 1),
]
