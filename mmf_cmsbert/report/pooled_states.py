"""The vectors that a network projects into the common space, before it does so."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from torch import Tensor, nn


@contextmanager
def pooled_states(projections: nn.ModuleDict) -> Iterator[dict[str, Tensor]]:
    """Collect what the projections get in a forward pass.

    Args:
        projections: modality -> module.

    Yields:
        A dict that each forward pass in the block fills: modality -> pooled state ``(batch, dim)``.
        Clear it between two passes: a modality that a dataset lacks is not projected.
    """
    found: dict[str, Tensor] = {}
    with ExitStack() as stack:
        for name, module in projections.items():

            def keep(module: nn.Module, given: tuple[Tensor, ...], name: str = name) -> None:
                found[name] = given[0].detach()

            handle = module.register_forward_pre_hook(keep)
            stack.callback(handle.remove)
        yield found
