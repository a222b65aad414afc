"""Which line of MMF is installed: 1.0.0rc10, or main, which calls itself 1.0.0rc12."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def is_main() -> bool:
    """Whether it is main, whose trainer has a file of its own. Imports nothing of MMF."""
    return (Path(find_spec("mmf").origin).parent / "trainers" / "mmf_trainer.py").exists()


def trainer_class() -> type:
    """The class whose `train` and `evaluate` every run of MMF's own trainer goes through."""
    if is_main():
        from mmf.trainers.mmf_trainer import MMFTrainer

        return MMFTrainer
    from mmf.trainers.base_trainer import BaseTrainer

    return BaseTrainer
