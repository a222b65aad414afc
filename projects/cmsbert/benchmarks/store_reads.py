"""Compare reading segments of a store in random order, by position and from a mapped file.

    python projects/cmsbert/benchmarks/store_reads.py
    python projects/cmsbert/benchmarks/store_reads.py --segments 23000 --rounds 9

The package reads by position, because a mapped file that is cut or overwritten ends the process.
Mapping is here for comparison only. Both check each segment's checksum. They alternate, and ratios
are computed within a round.
"""

import argparse
import random
import tempfile
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment, checksum
from mmf_cmsbert.datasets.stores.store import NAME, StoredSegments, write_store

WIDTHS = {"visual": 35, "acoustic": 74}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--segments", type=int, default=23_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        write_store(Path(folder), made_up(given.segments), sources=[], settings={})
        ways = {"mapped": Mapped(Path(folder)), "by position": StoredSegments(Path(folder))}
        seconds = measure(ways, given.segments, given.rounds)
    for name, found in seconds.items():
        print(f"{name:<12}{median(found):.2f} s ({min(found):.2f} to {max(found):.2f})")
    pairs = zip(seconds["by position"], seconds["mapped"], strict=True)
    ratios = [new / old for new, old in pairs]
    print(f"{'ratio':<12}{median(ratios):.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")


def measure(ways: dict[str, Sequence[Segment]], count: int, rounds: int) -> dict[str, list[float]]:
    """Return the processor seconds of each method for all segments, one value per round."""
    order = random.Random(0).sample(range(count), count)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):  # the first one warms up
        for name in list(ways)[:: 1 if number % 2 else -1]:
            started = time.process_time()
            for i in order:
                ways[name][i]
            if number:
                seconds[name].append(time.process_time() - started)
    return seconds


def made_up(count: int) -> Iterator[Segment]:
    """Yield segments of CMU-MOSEI's widths, with 5 to 49 words and one frame per word."""
    rng = np.random.default_rng(0)
    for i in range(count):
        words = tuple(rng.choice(["not", "great", "film", "really"], rng.integers(5, 50)).tolist())
        frames = {m: rng.normal(size=(len(words), w)).astype(np.float32) for m, w in WIDTHS.items()}
        yield Segment(f"video{i // 7}[{i % 7}]", f"video{i // 7}", words, frames, 1.0, 0.5, 2.5)


class Mapped(Sequence[Segment]):
    """The segments of a store as views of the mapped file."""

    def __init__(self, folder: Path):
        reader = pa.ipc.open_stream(pa.memory_map(str(folder / NAME)))
        batches = list(reader)
        self._starts = [0, *accumulate(batch.num_rows for batch in batches)]
        names = [name for name in reader.schema.names if name not in (*FACE_VOICE, "metadata")]
        self._plain = [{name: batch.column(name) for name in names} for batch in batches]
        self._frames = [
            {m: (b.column(m).offsets.to_numpy(), b.column(m).values.values) for m in FACE_VOICE}
            for b in batches
        ]

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Segment:
        number = bisect_right(self._starts, index) - 1
        row = index - self._starts[number]
        plain = {name: column[row].as_py() for name, column in self._plain[number].items()}
        written = plain.pop("checksum")
        plain["words"] = tuple(plain["words"])
        plain["frames"] = {
            m: values.to_numpy().reshape(-1, WIDTHS[m])[offsets[row] : offsets[row + 1]]
            for m, (offsets, values) in self._frames[number].items()
        }
        segment = Segment(**plain)
        if written != checksum(segment):
            raise ValueError(f"segment {index}: wrong checksum")
        return segment


if __name__ == "__main__":
    main()
