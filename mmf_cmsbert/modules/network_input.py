"""The network's input: word pieces and frames of a batch, or of some of its segments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class NetworkInput:
    """Word pieces and frames of a batch; see :meth:`SentimentNetwork.forward` for the shapes.

    ``encoded``, modality -> ``(batch, frames, frame_dim)``, holds the encoded frames.
    """

    input_ids: Tensor
    input_mask: Tensor
    word_index: Tensor
    frames: Mapping[str, Tensor]
    frame_masks: Mapping[str, Tensor]
    encoded: Mapping[str, Tensor] = field(default_factory=dict)

    def lengths(self) -> dict[str, list[int]]:
        """Return the length of each segment, at least 1, for ``text`` and each modality's frames.

        This is the only synchronisation with a GPU.
        """
        masks = {"text": self.input_mask, **self.frame_masks}
        # The last masked-in position, so that a mask with holes is not cut.
        ends = [
            (mask * torch.arange(1, mask.size(1) + 1, device=mask.device)).amax(1).clamp(min=1)
            for mask in masks.values()
        ]
        return dict(zip(masks, torch.stack(ends).tolist(), strict=True))

    def part(self, rows: Sequence[int], lengths: Mapping[str, Sequence[int]]) -> "NetworkInput":
        """Return the segments ``rows``, cut to the longest of them."""
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
