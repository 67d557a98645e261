"""What was measured where: facts without which a time means nothing."""
import datetime
import os
import platform
import subprocess


def _first_line(path, prefix):
    with open(path, encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith(prefix)), "unknown")


def _output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def describe(setup, root, peers):
    """`peers`: {name: {package: version}}."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "cpu": _first_line("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "threads": setup.threads,
        "memory_kib": int(_first_line("/proc/meminfo", "MemTotal").split()[0]),
        "load_at_start": os.getloadavg()[0],
        "system": platform.platform(),
        "commit": _output("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"),
        "quern": _output(setup.quern, "--version").splitlines()[0],
        "packages": {package: version for versions in peers.values() for package, version in versions.items()},
    }
