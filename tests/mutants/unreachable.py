"""The list of sites that no test can reach, each with its reason."""
from pathlib import Path

LIST = Path(__file__).resolve().parent / "unreachable.txt"


def read():
    """{name of the site: reason}. A reason stands on an indented line below its sites."""
    reasons, waiting = {}, []
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            reasons.update(dict.fromkeys(waiting, line.strip()))
            waiting = []
        else:
            waiting.append(line.rstrip())
    assert not waiting, f"without a reason: {waiting}"
    return reasons
