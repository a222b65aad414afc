"""What the network reads of a batch, and the same of some of its segments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class NetworkInput:
    """Word pieces and frames of a batch of segments; see :meth:`CMSBert.forward` for the shapes.

    ``encoded``, modality -> ``(batch, frames, frame_dim)``, is what the network makes of them.
    """

    input_ids: Tensor
    input_mask: Tensor
    word_index: Tensor
    frames: Mapping[str, Tensor]
    frame_masks: Mapping[str, Tensor]
    encoded: Mapping[str, Tensor] = field(default_factory=dict)

    def lengths(self) -> dict[str, list[int]]:
        """Positions that each segment needs, at least 1: of ``text`` and of each modality's frames.

        The only place where a GPU is waited for, once.
        """
        masks = {"text": self.input_mask, **self.frame_masks}
        # The last position that counts, so that a mask with holes is cut nowhere.
        ends = [
            (mask * torch.arange(1, mask.size(1) + 1, device=mask.device)).amax(1).clamp(min=1)
            for mask in masks.values()
        ]
        return dict(zip(masks, torch.stack(ends).tolist(), strict=True))

    def part(self, rows: Sequence[int], lengths: Mapping[str, Sequence[int]]) -> "NetworkInput":
        """The segments ``rows``, cut to the longest of them."""
        index = torch.tensor(rows, device=self.input_ids.device)
        longest = {name: max(each[row] for row in rows) for name, each in lengths.items()}

        def cut(tensor: Tensor, name: str) -> Tensor:
            return tensor[:, : longest[name]].index_select(0, index)

        return NetworkInput(
            cut(self.input_ids, "text"),
            cut(self.input_mask, "text"),
            cut(self.word_index, "text"),
            {m: cut(each, m) for m, each in self.frames.items()},
            {m: cut(each, m) for m, each in self.frame_masks.items()},
            {m: cut(each, m) for m, each in self.encoded.items()},
        )
