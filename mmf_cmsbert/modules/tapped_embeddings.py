"""Compute embeddings of the modalities from the modules of a network without embeddings."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from torch import Tensor, nn

from mmf_cmsbert.modules.pooling import mean_pool


class TappedEmbeddings(nn.Module):
    """Outputs of modules for each modality, projected to one width (our interpretation).

    Call it after the network's forward pass. A module may return

    - one state per segment, ``(batch, width)``;
    - one state per position, ``(batch, positions, width)``, averaged over the mask;
    - a tuple; its first item with one state per segment is used, otherwise the first item;
    - an output of Hugging Face transformers; its pooled state is used if it has one.

    Args:
        network: the network; forward hooks are registered on its modules.
        parts: modality -> name of a module in ``network``, as in ``named_modules``.
        widths: modality -> width of the module's states.
        dim: width of the embeddings.

    Raises:
        ValueError: the network has no module of that name.
    """

    def __init__(
        self, network: nn.Module, parts: Mapping[str, str], widths: Mapping[str, int], dim: int
    ):
        super().__init__()
        self.parts = dict(parts)
        self.projections = nn.ModuleDict({m: nn.Linear(widths[m], dim) for m in parts})
        self._outputs: dict[str, Any] = {}
        for modality, name in parts.items():
            try:
                part = network.get_submodule(name)
            except AttributeError as error:
                known = ", ".join(key for key, _ in network.named_modules() if key.count(".") <= 1)
                raise ValueError(f"there is no part {name!r}; of its parts, {known}") from error
            part.register_forward_hook(partial(self._keep, modality))

    def _keep(self, modality: str, part: nn.Module, inputs: Any, output: Any) -> None:
        self._outputs[modality] = output

    def forward(self, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the embeddings of the network's latest batch.

        Args:
            masks: modality -> true for real positions, ``(batch, positions)``; a missing mask means
                no padding.

        Returns:
            Modality -> ``(batch, dim)``; a segment without positions gets the embedding of zeros.

        Raises:
            ValueError: the network did not use a part, or its states have another shape.
        """
        outputs, self._outputs = self._outputs, {}
        embeddings = {}
        for modality, each in self.projections.items():
            projection = cast(nn.Linear, each)
            name = self.parts[modality]
            if modality not in outputs:
                raise ValueError(f"the model did not use its part {name!r}")
            state = _one_a_segment(_states(outputs[modality]), masks.get(modality), name)
            if state.shape[-1] != projection.in_features:
                raise ValueError(
                    f"the states of part {name!r} are {state.shape[-1]} wide, expected "
                    f"{projection.in_features}"
                )
            embeddings[modality] = projection(state.to(projection.weight.dtype))
        return embeddings


def _states(output: Any) -> Any:
    for name in ("pooler_output", "last_hidden_state"):
        if getattr(output, name, None) is not None:
            return getattr(output, name)
    if isinstance(output, (tuple, list)):
        pooled = [each for each in output if isinstance(each, Tensor) and each.ndim == 2]
        return (pooled or output)[0]
    return output


def _one_a_segment(states: Any, mask: Tensor | None, name: str) -> Tensor:
    if not isinstance(states, Tensor) or states.ndim not in (2, 3):
        found = tuple(states.shape) if isinstance(states, Tensor) else type(states).__name__
        raise ValueError(
            f"part {name!r} gives {found}, expected (batch, width) or (batch, positions, width)"
        )
    if states.ndim == 2:
        return states
    if mask is None:
        return states.mean(1)
    if states.shape[:2] != mask.shape:
        raise ValueError(
            f"part {name!r} gives {states.shape[1]} positions, expected {mask.shape[1]}, those of "
            "its modality in the batch"
        )
    return mean_pool(states, mask)
