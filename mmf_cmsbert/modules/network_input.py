"""The network's input: word pieces and frames of a batch, or of some of its segments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from mmf_cmsbert.modules.packing import Layout, Padding


@dataclass(frozen=True)
class Rows:
    """Encoded frames of a modality.

    Attributes:
        row: ``(all frames, frame_dim)``.
        layout: their layout.
    """

    row: Tensor
    layout: Layout

    @classmethod
    def of_padded(cls, padded: Tensor, mask: Tensor) -> "Rows":
        """Create it from ``(batch, frames, frame_dim)`` and ``(batch, frames)``."""
        layout = Padding(mask)
        return cls(layout.pack(padded), layout)

    def padded(self) -> Tensor:
        """Return ``(batch, frames, frame_dim)``, with arbitrary padding."""
        return self.layout.pad(self.row)


@dataclass(frozen=True)
class NetworkInput:
    """Word pieces and frames of a batch; see :meth:`SentimentNetwork.forward` for the shapes.

    ``rows``, modality -> :class:`Rows`, holds the encoded frames.
    """

    input_ids: Tensor
    input_mask: Tensor
    word_index: Tensor
    frames: Mapping[str, Tensor]
    frame_masks: Mapping[str, Tensor]
    rows: Mapping[str, Rows] = field(default_factory=dict)

    @cached_property
    def encoded(self) -> dict[str, Tensor]:
        """Modality -> encoded frames, ``(batch, frames, frame_dim)``, with arbitrary padding."""
        return {m: each.padded() for m, each in self.rows.items()}

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

    def padded(self) -> "NetworkInput":
        """Return the batch with padded rows."""
        masks = self.frame_masks
        return replace(
            self, rows={m: Rows.of_padded(each, masks[m]) for m, each in self.encoded.items()}
        )

    def part(self, rows: Sequence[int], lengths: Mapping[str, Sequence[int]]) -> "NetworkInput":
        """Return the segments ``rows``, cut to the longest of them."""
        index = torch.tensor(rows, device=self.input_ids.device)
        longest = {name: max(each[row] for row in rows) for name, each in lengths.items()}

        def cut(tensor: Tensor, name: str) -> Tensor:
            return tensor[:, : longest[name]].index_select(0, index)

        masks = {m: cut(each, m) for m, each in self.frame_masks.items()}
        return NetworkInput(
            cut(self.input_ids, "text"),
            cut(self.input_mask, "text"),
            cut(self.word_index, "text"),
            {m: cut(each, m) for m, each in self.frames.items()},
            masks,
            {m: Rows.of_padded(cut(each, m), masks[m]) for m, each in self.encoded.items()},
        )
