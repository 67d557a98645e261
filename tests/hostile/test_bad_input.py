"""The table of bad inputs against every verb that reads: the right exit code, one clear sentence, nothing left behind, never a crash."""
import os

import pytest

from hostile import cases_damage, cases_kinds, cases_matrix, cases_names, cases_outside, cases_text
from hostile.table import VERBS, command_of, judge, run

TABLES = (cases_kinds, cases_damage, cases_matrix, cases_names, cases_outside, cases_text)
CASES = [case for table in TABLES for case in table.CASES]


def test_names_are_unique():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("verb", VERBS)
def test_bad_input(binary_for_all, folder, verb, case):
    path = case.make if isinstance(case.make, str) else case.make(folder)
    user = {"user": case.user, "group": case.user, "extra_groups": []} if case.user >= 0 and os.geteuid() == 0 else {}
    done = run(binary_for_all, [*command_of(verb, path, folder / "out"), *case.arguments_of(verb)], folder / "out", **user)
    judge(done, verb, path, case.outcome(verb), case.says, case.names)
