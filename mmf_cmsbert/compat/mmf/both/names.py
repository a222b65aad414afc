"""Unknown names of trainers, models, datasets, losses, metrics, optimizers and schedulers."""

from collections.abc import Callable
from typing import Any

from mmf.utils import build

from mmf_cmsbert.compat.imports import replace_function
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.config import registered_names


@patch(
    "mmf.utils.build.build_{trainer,model,optimizer,scheduler}",
    why="An unknown name ends in a TypeError about None, an AssertionError, or sys.exit(1), partly "
    "after the data has been loaded.",
    remove_when="MMF checks the names in a configuration before it builds from them.",
)
def check_names() -> None:
    replace_function(build, "build_trainer", _after(registered_names.check_run))
    replace_function(build, "build_model", _after(registered_names.check_model))
    replace_function(build, "build_optimizer", _after(registered_names.check_optimizer))
    replace_function(build, "build_scheduler", _after(registered_names.check_scheduler))


def _after(check: Callable[..., None]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*args: Any, **kwargs: Any) -> Any:
            check(*args, **kwargs)
            return original(*args, **kwargs)

        return checked

    return make
