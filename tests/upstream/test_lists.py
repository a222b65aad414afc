"""README.md and the lists agree about the known failures of MMF's tests."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ACCEPTED = ("network", "torchvision's compiled parts", "exact random numbers of an old torch")


@pytest.mark.parametrize(("line", "row"), [("rc10", "1.0.0rc10"), ("main", "main")])
def test_the_readme_counts_what_is_listed_and_each_has_an_accepted_cause(line, row):
    causes, tests = [], []
    for entry in (HERE / f"{line}.txt").read_text().splitlines():
        (causes if entry.startswith("# ") else tests).append(entry)
    tests = [entry for entry in tests if entry]
    assert causes and all(cause[2:].startswith(ACCEPTED) for cause in causes)
    assert len(tests) == len(set(tests)) and all("::" in test for test in tests)
    readme = (HERE / "README.md").read_text()
    (failed,) = re.findall(rf"^\| {re.escape(row)} \| \d+ \| (\d+) \| 0 \|", readme, re.MULTILINE)
    assert int(failed) == len(tests)
