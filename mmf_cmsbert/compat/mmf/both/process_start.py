"""Start of the processes of a run, by MMF or by the trainer.

Both lines start a process for each GPU, or join those of torchrun, before they read
``training.trainer``. A trainer that starts its own processes calls :func:`set_process_starter`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mmf.utils import distributed, general
from mmf.utils.configuration import get_global_config
from torch import cuda
from torch import distributed as processes

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch

_starters: dict[str, Callable[[Any], None]] = {}
_in_one_process: ContextVar[bool] = ContextVar("in_one_process", default=False)


@contextmanager
def in_one_process() -> Iterator[None]:
    """Make runs in this block in this process, even with several GPUs."""
    token = _in_one_process.set(True)
    try:
        yield
    finally:
        _in_one_process.reset(token)


def is_in_one_process() -> bool:
    """Whether runs are made in this process alone, see :func:`in_one_process`."""
    return _in_one_process.get()


def set_process_starter(trainer: str, start: Callable[[Any], None]) -> None:
    """Let a trainer start the processes of a run and divide batches among them.

    For other trainers MMF starts them, or joins those that torchrun, Slurm or
    ``distributed.init_method`` describe. MMF does so on GPUs only, this module also on CPUs.

    Args:
        trainer: the name of the trainer.
        start: called with the configuration before MMF uses it.
    """
    _starters[trainer] = start


@patch(
    "mmf.utils.distributed.infer_init_method",
    why="MMF starts processes before it reads training.trainer, on GPUs that may be absent.",
    remove_when="MMF leaves processes to the trainer.",
)
def start_by_trainer() -> None:
    def starting(original: Callable[[Any], None]) -> Callable[[Any], None]:
        def infer_init_method(config: Any) -> None:
            if _in_one_process.get():
                config.distributed.world_size = 1
                return
            start = _starters.get(config.training.trainer)
            if start is None:
                original(config)
            else:
                start(config)
                config.distributed.world_size = 1  # MMF starts no others

        return infer_init_method

    imports.replace_function(distributed, "infer_init_method", starting)


@patch(
    "mmf.utils.distributed.{get_rank,get_world_size,synchronize}",
    why="MMF assumes a single process where torch is built without NCCL.",
    remove_when="MMF uses torch.distributed.is_initialized().",
)
def support_all_backends() -> None:
    def asking(ask: Callable[[], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def answer(*args: Any, **kwargs: Any) -> Any:
                several = processes.is_available() and processes.is_initialized()
                return ask() if several else original(*args, **kwargs)

            return answer

        return make

    for name, ask in (
        ("get_rank", processes.get_rank),
        ("get_world_size", processes.get_world_size),
        ("synchronize", processes.barrier),
    ):
        imports.replace_function(distributed, name, asking(ask))


@patch(
    "mmf.utils.distributed.distributed_init",
    why="MMF's processes need CUDA and NCCL.",
    remove_when="MMF uses gloo on CPUs.",
)
def join_on_cpu() -> None:
    def joining(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def distributed_init(config: Any) -> Any:
            group = config.distributed
            # main supports other devices, too
            on_cpu = config.training.get("device") in (None, "cuda", "cpu")
            if cuda.is_available() or not on_cpu or group.world_size == 1:
                return original(config)
            processes.init_process_group(
                "gloo",
                init_method=group.init_method,
                world_size=group.world_size,
                rank=group.rank,
            )
            group.init_method = None  # else MMF's trainer computes on a GPU
            return group.rank

        return distributed_init

    imports.replace_function(distributed, "distributed_init", joining)


@patch(
    "mmf.utils.general.get_world_size",
    why="MMF divides the batch size by the number of processes even if the trainer divides it.",
    remove_when="MMF leaves processes to the trainer.",
)
def keep_batch_size() -> None:
    original = general.get_world_size  # that module only divides the batch size by it
    general.get_world_size = lambda: (
        1 if get_global_config("training.trainer") in _starters else original()
    )
