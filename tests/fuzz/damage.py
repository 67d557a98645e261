"""Damaged copies of a file, and the program run on each: it may refuse them, it may not crash, hang or trip a sanitizer."""
import concurrent.futures
import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

ALLOWED_EXITS = {0, 3, 5}  # read all the same (no checksum covers the flip), refused, or claims more memory than the budget
TIME_LIMIT_SECONDS = 60
STEP = 512
FLIPS = 500
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "terminate called")


@dataclass
class Damage:
    label: str
    content: bytes


def truncations(content):
    return [Damage(f"cut-{length}", content[:length]) for length in range(0, len(content), STEP)]


def flips(content, seed, count=FLIPS):
    """One byte changed in each copy; the same for the same seed."""
    random_numbers = random.Random(seed)
    for number in range(count):
        place, change = random_numbers.randrange(len(content)), random_numbers.randrange(1, 256)
        yield Damage(f"flip-{number}-at-{place}-by-{change}", content[:place] + bytes([content[place] ^ change]) + content[place + 1:])


def verdict(done):
    """What is wrong with how the program ended; empty when nothing is."""
    if done.returncode not in ALLOWED_EXITS:
        return f"exit {done.returncode}"
    if any(mark in done.stderr for mark in REPORTS):
        return "sanitizer report"
    if done.returncode != 0 and not done.stderr.strip():
        return "refused without a word"
    return ""


def run_on(binary, damage, folder, verbs, environment):
    """Messages about one damaged file; the file is kept when there are any."""
    path = Path(folder) / f"{damage.label}.file"
    path.write_bytes(damage.content)
    found = []
    for verb in verbs:
        command = [binary, verb[0], str(path), *verb[1:]]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIME_LIMIT_SECONDS, check=False,
                                  env={**os.environ, **environment})
        except subprocess.TimeoutExpired:
            found.append(f"{damage.label}: {verb[0]}: still running after {TIME_LIMIT_SECONDS} s")
            continue
        wrong = verdict(done)
        if wrong:
            found.append(f"{damage.label}: {verb[0]}: {wrong}: {done.stderr.strip()[-600:]}")
    if not found:
        path.unlink()
    return found


def run_all(binary, damages, folder, verbs, environment):
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(run_on, binary, damage, folder, verbs, environment) for damage in damages]
        return [message for job in jobs for message in job.result()]
