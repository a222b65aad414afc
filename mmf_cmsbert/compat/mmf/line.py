"""Which line of MMF is installed: 1.0.0rc10, or main, which calls itself 1.0.0rc12."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


@cache
def is_main() -> bool:
    """Whether it is main, whose trainer has a file of its own. Imports nothing of MMF."""
    return (Path(find_spec("mmf").origin).parent / "trainers" / "mmf_trainer.py").exists()


def installed() -> str:
    """The installed line: ``main`` or ``rc10``."""
    return "main" if is_main() else "rc10"


def other() -> str:
    """The line that is not installed."""
    return "rc10" if is_main() else "main"


def trainer_class() -> type:
    """The class whose `train` and `evaluate` every run of MMF's trainer goes through."""
    if is_main():
        from mmf.trainers.mmf_trainer import MMFTrainer

        return MMFTrainer
    from mmf.trainers.base_trainer import BaseTrainer

    return BaseTrainer


def early_stopping(trainer: Any) -> Any:
    """What decides when a trainer stops; main's trainers keep it in a callback."""
    return trainer.early_stop_callback.early_stopping if is_main() else trainer.early_stopping


def lr_scheduler(trainer: Any) -> Any:
    """A trainer's schedule of the learning rate, or None."""
    if not is_main():
        return trainer.lr_scheduler
    callback = trainer.lr_scheduler_callback
    return None if callback is None else callback._scheduler
