"""Commands killed (SIGKILL) at random times and repeated: same results, no files left over.

KILL_SEED (1) determines the times. With ``-s`` each kill is printed.
"""

import os
import random
import shutil
import signal
import time

import pytest
import torch
import yaml
from real_commands import (
    TRAINERS,
    Started,
    contents,
    conversion,
    leftovers,
    numbers,
    recipe,
    search_space,
    write_segments,
)

pytestmark = pytest.mark.slow
SEED = int(os.environ.get("KILL_SEED", 1))


class Training:
    """A run that is repeated with ``checkpoint.resume=true``.

    Args:
        way: the trainer and the number of processes.
    """

    result = staticmethod(lambda folder: numbers(folder / "run"))

    def __init__(self, way):
        self.way = way

    def words(self, folder, again):
        words = ["mmf_run", f"config={folder / 'small.yaml'}", f"env.save_dir={folder / 'run'}"]
        return [*words, *TRAINERS[self.way], *["checkpoint.resume=true"] * again]

    def prepare(self, folder):
        recipe(folder)


class Conversion:
    """``cmsbert data convert`` of 2,000 synthetic segments.

    Args:
        to: the output format.
    """

    def __init__(self, to):
        self.to = to

    def words(self, folder, again):
        source, output = folder.parent / "segments", folder / "converted"
        return [*conversion(source, output), "--to", self.to]

    def prepare(self, folder):
        write_segments(folder.parent / "segments")

    def result(self, folder):
        found = contents(folder / "converted")
        if (name := "embedding_and_mapping.pt") in found:
            # torch writes memory addresses into it
            matrix, words = torch.load(folder / "converted" / name, weights_only=True)
            found[name] = matrix.tolist(), words
        return found


class Ablation:
    """``cmsbert ablate`` with two recipes and two parallel runs."""

    def words(self, folder, again):
        words = ["cmsbert", "ablate", "cms_clr", "text_only", "--base", folder / "small.yaml"]
        return [*words, "--seeds", "1", "--jobs", "2", "--output", folder / "ablation"]

    def prepare(self, folder):
        recipe(folder, max_updates=32)

    def result(self, folder):
        results = (folder / "ablation" / "results.csv").read_text()
        return results.replace(str(folder), "")


class Search:
    """``cmsbert tune`` with two trials."""

    def words(self, folder, again):
        words = ["cmsbert", "tune", "cms_clr", "--base", folder / "small.yaml"]
        words += ["--space", search_space(folder)]
        return [*words, "--trials", "2", "--output", folder / "search"]

    def prepare(self, folder):
        recipe(folder, max_updates=32)

    def result(self, folder):
        found = folder / "search"
        best = yaml.safe_load((found / "best.yaml").read_text())
        return (found / "trials.csv").read_text(), best["optimizer"]


COMMANDS = {way: (Training(way), 8) for way in TRAINERS}
COMMANDS |= {f"convert to {to}": (Conversion(to), 3) for to in ("store", "misa")}
COMMANDS |= {"ablate": (Ablation(), 5), "tune": (Search(), 5)}
_whole = {}


def whole(name, tmp_path_factory):
    """Return the duration and the results of the command without interruption."""
    if name not in _whole:
        command, _ = COMMANDS[name]
        folder = tmp_path_factory.mktemp("whole") / "folder"
        folder.mkdir()
        command.prepare(folder)
        started = Started(command.words(folder, False), folder)
        status, _, err = started.ended(600)
        assert status == 0, err
        _whole[name] = time.monotonic() - started.began, command.result(folder), folder
    return _whole[name]


@pytest.mark.parametrize(
    ("name", "number"), [(name, i) for name, (_, count) in COMMANDS.items() for i in range(count)]
)
def test_killed_and_typed_again(tmp_path_factory, name, number):
    seconds, result, there = whole(name, tmp_path_factory)
    command, _ = COMMANDS[name]
    folder = there.parent / f"killed_{number}"
    folder.mkdir()
    command.prepare(folder)
    rng = random.Random(f"{SEED} {name} {number}")
    share, rank = rng.uniform(0.03, 0.97), rng.choice([0, 1])
    started = Started(command.words(folder, False), folder)
    try:
        started.until(lambda started: time.monotonic() - started.began > share * seconds)
        victim = started.rank(rank) if name == "two processes" else started.process.pid
        killed = started.process.poll() is None
        if killed:
            os.kill(victim, signal.SIGKILL)
        alone = started.alone_after()
        assert alone is not None, f"orphans: {list(started.processes())}"
        status, _, err = started.ended()
        if victim != started.process.pid and killed:
            # 0 if it was at the end of its last evaluation
            assert status == 0 or (status == 1 and "SIGKILL" in err), err
            assert "Traceback" not in err, err
    finally:
        started.end()
    left = leftovers(folder)
    again = Started(command.words(folder, True), folder)
    try:
        status, _, err = again.ended(600)
        assert status == 0, err
        assert again.alone_after() is not None
    finally:
        again.end()
    assert command.result(folder) == result
    assert leftovers(folder) == []
    print(
        f"\n{name} {number}: killed {'' if killed else '(had ended) '}at {share:.2f} of "
        f"{seconds:.1f} s, process {rank if name == 'two processes' else 0}; others gone after "
        f"{alone:.1f} s; unfinished then: {left}; typed again {time.monotonic() - again.began:.1f} "
        "s: same numbers, nothing left",
        flush=True,
    )
    shutil.rmtree(folder)
