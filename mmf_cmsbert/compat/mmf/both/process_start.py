"""The processes of a run: those that its trainer starts, and those that MMF starts.

Both lines start a process for each GPU, or join those of torchrun, before they look at
``training.trainer``. A trainer that starts its processes itself is named by :func:`hand_over`.
"""

from collections.abc import Callable
from typing import Any

from mmf.utils import distributed, general
from mmf.utils.configuration import get_global_config
from torch import cuda
from torch import distributed as processes

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import ConfigError

_starts: dict[str, Callable[[Any], None]] = {}


def hand_over(trainer: str, start: Callable[[Any], None]) -> None:
    """Leave the processes of a run to its trainer, and the division of batches among them.

    MMF's own trainers keep theirs, which need GPUs; without one there is a ConfigError.

    Args:
        trainer: its name.
        start: called with the configuration before MMF does anything else with it.
    """
    _starts[trainer] = start


@patch(
    "mmf.utils.distributed.infer_init_method",
    why="MMF starts processes before it looks at training.trainer, on GPUs that may be absent.",
    remove_when="MMF leaves processes to the trainer.",
)
def started_by_the_trainer() -> None:
    def starting(original: Callable[[Any], None]) -> Callable[[Any], None]:
        def infer_init_method(config: Any) -> None:
            start = _starts.get(config.training.trainer)
            if start is None:
                original(config)
                _check_devices(config)
            else:
                start(config)
                config.distributed.world_size = 1  # MMF has none to start

        return infer_init_method

    imports.replace_function(distributed, "infer_init_method", starting)


@patch(
    "mmf.utils.distributed.{get_rank,get_world_size,synchronize}",
    why="MMF assumes a single process where torch is built without NCCL.",
    remove_when="MMF asks torch whether processes are initialised.",
)
def of_any_backend() -> None:
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
    "mmf.utils.general.get_world_size",
    why="MMF divides each batch by the number of processes, whoever divides batches among them.",
    remove_when="MMF leaves processes to the trainer.",
)
def undivided_batches() -> None:
    original = general.get_world_size  # used there to divide the batch size alone
    general.get_world_size = lambda: (
        1 if get_global_config("training.trainer") in _starts else original()
    )


def _check_devices(config: Any) -> None:
    started = config.distributed.init_method is not None
    # main has other devices too
    on_gpus = config.training.get("device") in (None, "cuda", "cpu")
    if started and on_gpus and not cuda.is_available():
        others = f"; type training.trainer={next(iter(_starts))}" if _starts else ""
        raise ConfigError(
            "RANK and WORLD_SIZE in the environment, or distributed.init_method, ask for "
            f"several processes. With training.trainer={config.training.trainer} MMF runs them "
            f"on GPUs alone, and torch sees none{others}"
        )
