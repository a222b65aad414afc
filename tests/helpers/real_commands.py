"""Commands in separate processes, as a user starts them, to be killed or sent signals."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import yaml

from mmf_cmsbert.checkpoints import contents as checkpoint
from mmf_cmsbert.checkpoints import model_folder

ROOT = Path(__file__).parents[2]
# A run of the demo that takes seconds: 60 updates, 4 in an epoch, validations every 8.
SMALL = {
    "includes": [str(ROOT / "projects" / "cmsbert" / "demo.yaml")],
    "dataset_config": {"mosi": {"synthetic": {"seed": 1, "train": 64, "val": 32, "test": 32}}},
    "training": {
        "batch_size": 16,
        "max_updates": 60,
        "evaluation_interval": 8,
        "log_interval": 4,
        "progress_bar": False,
        "report": False,
        "early_stop": {"patience": 1000},
    },
}
TRAINERS = {
    "own": ["training.trainer=base_trainer"],
    "lightning": ["training.trainer=lightning_cmsbert"],
    "two processes": [
        "training.trainer=lightning_cmsbert",
        "training.lightning.devices=2",
        "training.device=cpu",
    ],
}
_PROGRAMS = {
    "mmf_run": "from mmf_cmsbert.cli import mmf_run; mmf_run()",
    "mmf_predict": "from mmf_cmsbert.cli import mmf_predict; mmf_predict()",
    "cmsbert": "from mmf_cmsbert.commands import main; main()",
}


def recipe(folder, **training):
    """Write the small run as a recipe into ``folder``."""
    content = {**SMALL, "training": {**SMALL["training"], **training}}
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def write_segments(folder):
    """Write 2,000 synthetic segments in MISA's layout, unless they exist."""
    from mmf_cmsbert.datasets import synthetic

    folder.mkdir(exist_ok=True)
    settings = {"seed": 1, "train": 1500, "val": 250, "test": 250}
    for name, split in (("train", "train"), ("dev", "val"), ("test", "test")):
        file, widths = folder / f"{name}.pkl", {"visual": 47, "acoustic": 74}
        synthetic.write_split(file, split, settings, widths)


def conversion(source, output):
    """Return the arguments that convert these segments."""
    return ["cmsbert", "data", "convert", source, "--dataset", "mosi", "--output", output]


def search_space(folder):
    """Write a search space for ``cmsbert tune`` into ``folder``."""
    file = folder / "space.yaml"
    file.write_text(yaml.safe_dump({"optimizer.params.lr": {"low": 2e-4, "high": 3e-3}}))
    return file


def _heed_interrupts():
    """Undo that shells start background commands, and nohup all, with signals ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Started:
    """A running command.

    Args:
        words: its arguments.
        folder: the working folder; its subfolder ``data`` is ``env.data_dir``.
        through: a program that starts it, such as torchrun.
    """

    def __init__(self, words, folder, through=()):
        folder.mkdir(parents=True, exist_ok=True)
        # Like the script that pip writes, whose name is the command's
        script = folder / "bin" / words[0]
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!{sys.executable}\n{_PROGRAMS[words[0]]}\n")
        script.chmod(0o755)
        self.mark = f"MARK={uuid.uuid4()}"
        name, _, value = self.mark.partition("=")
        environment = os.environ | {
            name: value,
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "MMF_DATA_DIR": str(folder / "data"),
            "COLUMNS": "200",
        }
        self.out, self.err = folder / "out", folder / "err"
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [*through, str(script), *map(str, words[1:])],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_heed_interrupts,
            )
        self.began = time.monotonic()

    def until(self, condition, limit=120):
        """Wait for a condition, or the end; return whether the command still runs."""
        while self.process.poll() is None and time.monotonic() - self.began < limit:
            if condition(self):
                return True
            time.sleep(0.02)
        return False

    def ended(self, limit=180):
        """Return exit status, standard output and standard error."""
        status = self.process.wait(limit)
        return status, self.out.read_text(), self.err.read_text()

    def processes(self):
        """Return all its running processes, including indirect children."""
        found = {}
        for folder in Path("/proc").iterdir():
            try:
                variables = (folder / "environ").read_bytes().split(b"\0")
                status = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except (OSError, ValueError):
                continue
            if self.mark.encode() in variables and status != "Z":
                found[int(folder.name)] = variables
        return found

    def rank(self, number):
        """Return the process of a rank."""
        for process, variables in self.processes().items():
            words = Path(f"/proc/{process}/cmdline").read_bytes()
            of_rank = f"LOCAL_RANK={number}".encode() in variables
            if of_rank and b"mmf_run" in words and b"torchrun" not in words:
                return process
        return self.process.pid

    def alone_after(self, limit=30):
        """Return the seconds until all processes have ended; None if the limit is reached."""
        began = time.monotonic()
        while time.monotonic() - began < limit:
            if not self.processes():
                return time.monotonic() - began
            time.sleep(0.1)
        return None

    def end(self):
        for process in self.processes():
            os.kill(process, signal.SIGKILL)
        self.process.wait()


def handles_signals(started):
    """Return whether a command already handles signals, which it does before slow imports."""
    lines = Path(f"/proc/{started.process.pid}/status").read_text().splitlines()
    caught = next(line for line in lines if line.startswith("SigCgt")).split()[1]
    return bool(int(caught, 16) >> (signal.SIGXCPU - 1) & 1)


def says(text):
    return lambda started: text in started.out.read_text(errors="replace")


def leftovers(folder):
    """Return unfinished files and folders."""
    names = ("*.tmp", "*.saving", "*.placing", ".unfinished-*")
    return sorted(str(path.relative_to(folder)) for name in names for path in folder.rglob(name))


def numbers(folder):
    """Return the results of a finished run: scores, best update, and hashes of its weights."""
    record = json.loads((folder / "run.json").read_text())
    found = {name: record[name] for name in ("status", "best", "updates", "test")}
    found["last"] = _hash(checkpoint.load(folder / "current.ckpt")["model"])
    found["chosen"] = _hash(model_folder.read_weights(folder / "model"))
    return found


def _hash(weights):
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode() + weights[name].numpy().tobytes())
    return digest.hexdigest()


def contents(folder):
    """Return the hashes of all files of a folder except locks: path -> hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }
