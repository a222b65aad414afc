"""step.py --peer: runs of `mmf_run` against MAG-BERT's published code, in turn."""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pace
import peer_worker
import predict_worker
import run_worker
import torch
from data import _machine as machine
from step_variants import ALL, ALL_BF16, BACKBONES, PADDED, REFERENCE, VARIANTS, WIDTHS, Workbench
from worker import Worker, WorkerError, versions_of

from mmf_cmsbert.paths import PACKAGE

MAG = "MAG's model"
PREDICT = "cmsbert predict"
PEER = "MAG-BERT's code"
# Recipe and words of each run that is measured.
RUNS = {
    ALL: ("mosi.yaml",),
    ALL_BF16: ("mosi.yaml", "training.precision=bf16", "evaluation.precision=bf16"),
    MAG: ("ablations/mag_bert.yaml",),
}
_RECIPES = PACKAGE / "projects/cmsbert"


class PeerError(Exception):
    """The published code cannot be run, or not with the same libraries."""


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Return seconds of steps and evaluations, memory and first updates of every run.

    Raises:
        PeerError: the published code cannot be run.
        WorkerError: a run of this package fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(given, Path(folder))
        runs = {name: comparison.run(name) for name in given.runs or RUNS}
        return {
            "backbone": given.backbone,
            "batch": given.batch,
            "device": given.device,
            "clock": given.clock,
            "versions": comparison.versions,
            "runs": runs,
            "load": comparison.load,
            "machine": machine() | {"torch_threads": given.threads, "processor": processor()},
        }


class Comparison:
    """Programs of both sides, which read the same file, with the same sizes.

    Args:
        given: options of step.py.
        folder: an empty folder.
    """

    def __init__(self, given: argparse.Namespace, folder: Path):
        self._given, self._folder = given, folder
        self._data = _data(given)
        self._config = _backbone(given.backbone)
        (folder / "datasets").mkdir()
        (folder / "datasets/mosi.pkl").symlink_to(self._data)
        (folder / "backbone").mkdir()
        _write(folder / "backbone/config.json", self._config)
        self._vocabulary = _vocabulary(given.tokenizer, folder)
        self.versions: dict[str, Any] = {}
        self.load = {"before": os.getloadavg()[0]}

    def run(self, name: str) -> dict[str, Any]:
        """Measure one run of this package against the published code and the padded reference."""
        given, rounds = self._given, self._given.rounds
        if given.threads:
            torch.set_num_threads(given.threads)
        print(f"{name}: a first start, which converts the data", file=sys.stderr, flush=True)
        with self._ours(name, rounds) as converting:
            converting.first_update()
        with ExitStack() as programs:
            # The second starts when the first has made an update: each starts alone.
            theirs = programs.enter_context(self._peer())
            first = {PEER: self._checked(theirs)}
            ours = programs.enter_context(self._ours(name, rounds))
            first[name] = ours.first_update()
            self._check_versions(theirs, ours)
            bench = Workbench(given.backbone, given.device, given.clock)
            reference = [PADDED] * given.batch
            ways = {
                PEER: lambda: theirs.ask(pace.STEP),
                name: lambda: ours.ask(pace.STEP),
                REFERENCE: lambda: _reference_step(bench, reference),
            }
            steps = _in_turn(ways, rounds, "step")
            ways = {PEER: lambda: theirs.ask("evaluate"), name: lambda: ours.ask("evaluate")}
            evaluations = {"evaluation": _in_turn(ways, rounds, "evaluation")}
            print("mmf_run runs to its end", file=sys.stderr, flush=True)
            memory = {name: ours.ask(pace.FINISH)}
            with self._predictor(name) as predictor:
                ways = {PEER: ways[PEER], PREDICT: lambda: predictor.ask("evaluate")}
                evaluations[PREDICT] = _in_turn(ways, rounds, PREDICT)
            memory[PEER] = theirs.ask(pace.FINISH)
        self.load["after"] = os.getloadavg()[0]
        return {
            "first_update": first,
            "passes": {"step": steps, **evaluations},
            "memory": {way: found["memory"] for way, found in memory.items()},
        }

    def _ours(self, name: str, rounds: int) -> Worker:
        recipe, *words = RUNS[name]
        last = rounds + 3  # the first update, a warm-up, and one that is made when it ends
        words = [
            f"config={_RECIPES / recipe}",
            *words,
            *(
                f"dataset_config.mosi.annotations.{s}=[{self._data}]"
                for s in ("train", "val", "test")
            ),
            f"dataset_config.mosi.store_dir={self._folder / 'stores'}",
            f"model_config.cmsbert.backbone.name={self._given.tokenizer}",
            f"model_config.cmsbert.backbone.from_config={self._folder / 'backbone'}",
            f"env.save_dir={self._folder / 'save'}",
            "env.overwrite=true",
            f"training.batch_size={self._given.batch}",
            f"training.max_updates={last}",
            f"training.evaluation_interval={last}",
            f"training.seed={self._given.seed}",
        ]
        call = [sys.executable, run_worker.__file__, *words]
        return self._worker("mmf_run", call)

    def _predictor(self, name: str) -> Worker:
        precision = "bf16" if name == ALL_BF16 else "fp32"
        options = [str(self._folder / "save/model"), str(self._data), precision]
        call = [sys.executable, predict_worker.__file__, *options]
        return self._worker("predict", call)

    def _worker(self, name: str, call: list[str]) -> Worker:
        return Worker(name, call, self._folder, self._given.threads or None, self._given.clock)

    @contextmanager
    def _peer(self) -> Iterator[Worker]:
        given = self._given
        options = {
            "folder": str(given.peer.expanduser().absolute()),
            "config": self._config,
            "vocabulary": str(self._vocabulary),
            "batch": given.batch,
            "seed": given.seed,
            "device": given.device,
            "visual": WIDTHS["visual"]["mosi"],
            "acoustic": WIDTHS["acoustic"]["mosi"],
        }
        call = [str(given.peer_python), "-W", "ignore", peer_worker.__file__, json.dumps(options)]
        try:
            worker = self._worker("peer", call)
        except WorkerError as error:
            raise PeerError(f"--peer-python {error}") from error
        with worker:
            yield worker

    def _checked(self, theirs: Worker) -> float:
        try:
            return theirs.first_update()
        except WorkerError as error:
            raise PeerError(
                f"{self._given.peer} does not run with --peer-python {self._given.peer_python}: "
                f"{error}"
            ) from error

    def _check_versions(self, theirs: Worker, ours: Worker) -> None:
        peer, own = versions_of(theirs, ours)
        self.versions = dict(peer) | {"threads_of_mmf_run": own["threads"]}
        needed = {"torch": "pip install torch=={}", "threads": "{} threads"}
        if not self._given.threads:  # each side chooses its own
            del needed["threads"]
        for library, install in needed.items():
            if peer[library] != own[library]:
                wanted = install.format(own[library])
                raise PeerError(
                    f"its interpreter has {library} {peer[library]}, and this one {own[library]}; "
                    f"the same is needed: {wanted}"
                )


def _reference_step(bench: Workbench, lengths: list[int]) -> dict[str, Any]:
    variant = VARIANTS[REFERENCE]
    found = bench.train(variant, bench.batch(lengths, variant.padded))
    found.pop("padding")
    return {"seconds": sum(found.values()), "segments": len(lengths)}


def _in_turn(ways: Mapping[str, Any], rounds: int, what: str) -> dict[str, list[float]]:
    """Return seconds per segment of each way, one per round; the first round does not count."""
    found: dict[str, list[float]] = {way: [] for way in ways}
    for round_ in range(rounds + 1):
        # The order reverses every round, so that a slow phase of the machine affects all of them.
        for way in list(ways)[:: -1 if round_ % 2 else 1]:
            answer = ways[way]()
            print(f"round {round_}: {what}: {way}: {answer['seconds']:.2f} s", file=sys.stderr)
            if round_:
                found[way].append(answer["seconds"] / answer["segments"])
    return found


def _data(given: argparse.Namespace) -> Path:
    if not (given.peer / "multimodal_driver.py").is_file():
        raise PeerError(f"--peer {given.peer} has no multimodal_driver.py")
    if given.data is None or not given.data.is_file():
        raise PeerError(
            f"--data is {given.data}; expected MAG-BERT's pickle of MOSI, which `cmsbert data "
            "convert SOURCE --dataset mosi --to mag` writes"
        )
    return given.data.absolute()


def _backbone(name: str) -> dict[str, Any]:
    if name in BACKBONES:
        from transformers import BertConfig

        config = BertConfig(**BACKBONES[name]).to_dict()
    else:
        config = json.loads((Path(name) / "config.json").read_text(encoding="utf-8"))
    sizes = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    # Of the rest, only what both versions of transformers read.
    return {"model_type": "bert"} | {key: config[key] for key in (*sizes, "vocab_size")}


def _vocabulary(tokenizer: str, folder: Path) -> Path:
    from transformers import AutoTokenizer

    pieces = AutoTokenizer.from_pretrained(tokenizer).get_vocab()
    file = folder / "vocab.txt"
    file.write_text("\n".join(sorted(pieces, key=pieces.get)) + "\n", encoding="utf-8")
    return file


def _write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value), encoding="utf-8")


def processor() -> str:
    """Return the processor's name, family and model, and the widest vectors torch uses on it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    lines = (line.partition(":") for line in text.splitlines())
    found = {key.strip(): value.strip() for key, _, value in lines}
    vectors = torch.backends.cpu.get_cpu_capability()
    flags = found.get("flags", "").split()
    extra = [each for each in ("avx512_bf16", "amx_tile") if each in flags]
    numbers = f"family {found.get('cpu family')}, model {found.get('model')}"
    return f"{found.get('model name')} ({numbers}; {', '.join([vectors, *extra])})"
