"""The learning rate schedule of the recipes."""

from mmf.common.registry import registry
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_linear_schedule_with_warmup

from mmf_cmsbert.errors import ConfigError


@registry.register_scheduler("linear_with_warmup")  # type: ignore[untyped-decorator]
def linear_with_warmup(
    optimizer: Optimizer, num_training_steps: int, warmup_proportion: float = 0.1
) -> LambdaLR:
    """Linear warm-up over a share of all updates, then linear decay to zero.

    MMF's ``warmup_linear`` takes the warm-up as a number of updates, which has to be changed along
    with ``training.max_updates``. Here it is a fraction of the run.

    Args:
        optimizer: the optimizer.
        num_training_steps: updates of the run.
        warmup_proportion: warm-up as a fraction of the updates, 0 to 1.

    Raises:
        ConfigError: ``num_training_steps`` is below 1 (``training.max_updates`` may be null when
            ``max_epochs`` is used instead), or ``warmup_proportion`` is outside [0, 1].
    """
    if not isinstance(num_training_steps, int) or num_training_steps < 1:
        raise ConfigError(
            f"scheduler.params.num_training_steps is {num_training_steps!r}; expected a number of "
            "updates; type training.max_updates=NUMBER"
        )
    if not isinstance(warmup_proportion, (int, float)) or not 0 <= warmup_proportion <= 1:
        raise ConfigError(
            f"scheduler.params.warmup_proportion is {warmup_proportion!r}; expected 0 to 1"
        )
    warmup = round(num_training_steps * warmup_proportion)
    return get_linear_schedule_with_warmup(optimizer, warmup, num_training_steps)
