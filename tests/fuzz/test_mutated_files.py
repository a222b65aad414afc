"""Mutated files of every kind end in a message: nothing is executed, and no process crashes, hangs,
takes a GiB, or ends in a traceback. What loads of a store or a checkpoint is what was written.

    FUZZ_SEED=1 FUZZ_CASES=4000 pytest -m slow tests/fuzz -s

A case depends on the seed, its number, and the files, of which a manifest holds paths and times;
FUZZ_FIRST=NUMBER begins with it.
"""

import os
import random
import shutil
import time
from collections import Counter

import pytest
from children import outcomes
from mutations import mutate
from targets import TARGETS, comparable

SEED = int(os.environ.get("FUZZ_SEED", "20261127"))
FIRST = int(os.environ.get("FUZZ_FIRST", "0"))
FEW = 36
MANY = int(os.environ.get("FUZZ_CASES", "4000"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Target -> the folder with its files."""
    root = tmp_path_factory.mktemp("written")
    for name, target in TARGETS.items():
        folder = root / name / "given"
        folder.mkdir(parents=True)
        target.write(folder)
    return root


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def fuzz(written, scratch, count):
    """Target -> outcome -> count, and the cases with a forbidden outcome."""
    names = sorted(TARGETS)
    others = [path.read_bytes() for name in names for path in files_in(written / name / "given")]
    expected = {
        name: comparable(target.read(written / name / "given"))
        for name, target in TARGETS.items()
        if target.exact
    }

    def run(case):
        rng = random.Random(f"{SEED} {case}")
        name = names[case % len(names)]
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(written / name, scratch)
        folder = scratch / "given"
        canary = scratch.with_name("canary")
        path = rng.choice(files_in(folder))
        how = f"{path.relative_to(folder)}: {mutate(rng, path, others, canary)}"
        failure = None
        try:
            found = TARGETS[name].read(folder)
        except BaseException as error:
            failure = error
        if canary.exists():
            canary.unlink()
            return f"EXECUTED: {how}"
        if failure is not None:
            raise failure
        if TARGETS[name].exact and comparable(found) != expected[name]:
            return f"WRONG: {how}"
        return "read"

    counts = {name: Counter() for name in names}
    wrong = {}
    for case, outcome in outcomes(range(FIRST, FIRST + count), run):
        name = names[case % len(names)]
        counts[name][outcome.strip().splitlines()[-1][:60]] += 1
        if outcome not in ("read", "refused"):
            wrong[case] = f"{name}: {outcome}"
    return counts, wrong


def check(written, scratch, count):
    started = time.monotonic()
    counts, wrong = fuzz(written, scratch, count)
    seconds = time.monotonic() - started
    print(f"\nseed {SEED}, cases {FIRST} to {FIRST + count - 1}, {seconds:.0f} s")
    for name, outcomes_of_it in counts.items():
        print(f"  {name:<34}{dict(outcomes_of_it.most_common())}")
    shown = "\n\n".join(f"case {case}: {text[-1500:]}" for case, text in list(wrong.items())[:8])
    assert not wrong, f"{len(wrong)} of {count} cases, seed {SEED}: {sorted(wrong)}\n{shown}"


def test_a_few_mutated_files(written, tmp_path):
    check(written, tmp_path / "scratch", FEW)


@pytest.mark.slow
def test_many_mutated_files(written, tmp_path):
    check(written, tmp_path / "scratch", MANY)
