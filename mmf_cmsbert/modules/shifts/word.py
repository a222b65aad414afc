"""MAG: each word is shifted by its own frames. The baseline that CMS generalises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.dataset_linear import DatasetLinear
from mmf_cmsbert.modules.shifts.base import Shift
from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation, ShiftPart
from mmf_cmsbert.modules.shifts.registry import register_shift

if TYPE_CHECKING:
    from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
    from mmf_cmsbert.modules.network_input import NetworkInput
    from mmf_cmsbert.modules.packing import Layout

_BERT_DEVIATION = 0.02


def frames_of_pieces(frames: Tensor, word_index: Tensor) -> Tensor:
    """Copy each word's frame to its word pieces; [CLS], [SEP] and padding get zeros.

    Args:
        frames: one frame per word, ``(batch, words, width)``.
        word_index: the word that a piece belongs to, -1 for none, ``(batch, pieces)``.

    Returns:
        ``(batch, pieces, width)``.
    """
    index = word_index.clamp(min=0).unsqueeze(-1).expand(-1, -1, frames.size(-1))
    return frames.gather(1, index) * (word_index >= 0).unsqueeze(-1)


def aligned_frames(frames: Tensor, mask: Tensor, word_index: Tensor, modality: str) -> Tensor:
    """Check that there is one frame per word, and call :func:`frames_of_pieces`.

    Args:
        frames: one frame per word, ``(batch, words, width)``.
        mask: true for recorded frames, ``(batch, words)``; a segment may have none.
        word_index: the word that a piece belongs to, -1 for none, ``(batch, pieces)``.
        modality: the modality of the frames, for the message.

    Returns:
        ``(batch, pieces, width)``.

    Raises:
        ConfigError: a segment has fewer frames than words.
    """
    words, given = word_index.amax(1) + 1, mask.sum(1)
    short = (given > 0) & (given < words)
    if short.any():
        first = short.int().argmax()
        raise ConfigError(
            f"shift.context=word needs one {modality} frame per word, but a segment has "
            f"{int(words[first])} words and {int(given[first])} frames. For data that is not "
            "aligned with the words type model_config.cmsbert.shift.context=utterance"
        )
    return frames_of_pieces(frames, word_index.clamp(max=frames.size(1) - 1))


@register_shift("word")
class WordShift(Shift):
    """Multimodal adaptation gate (Rahman et al., ACL 2020, equations 1 to 6).

    ``g_m = ReLU(W_gm [x_m; z])`` and ``h = sum_m g_m * (W_m x_m)``; then as in :class:`Shift`.

    Args:
        dim: width of the word states.
        widths: modality -> dataset -> width of its frames.
        beta: largest norm of the displacement, relative to that of the state.
        dropout: probability of dropping an element of the shifted state.
        start: ``mag`` or ``identity``, see :class:`Shift`.
    """

    default_start = "mag"
    needs_alignment = True

    def __init__(
        self,
        dim: int,
        widths: Mapping[str, Mapping[str, int]],
        beta: float = 1.0,
        dropout: float = 0.5,
        start: str = "mag",
    ):
        super().__init__(dim, beta, dropout, start)
        self.gates = nn.ModuleDict(
            {
                modality: DatasetLinear({name: width + dim for name, width in each.items()}, dim)
                for modality, each in widths.items()
            }
        )
        values = {modality: DatasetLinear(each, dim) for modality, each in widths.items()}
        self.values = nn.ModuleDict(values)
        if start == "mag":
            # As in MAG-BERT's published code: initialised like BERT's layers.
            for each in self.modules():
                if isinstance(each, nn.Linear):
                    nn.init.normal_(each.weight, std=_BERT_DEVIATION)
                    nn.init.zeros_(each.bias)
        self.begin(linear for each in values.values() for linear in each.linears())

    @classmethod
    def from_settings(
        cls, settings: CMSBERTConfig, dim: int, widths: Mapping[str, Mapping[str, int]]
    ) -> WordShift:
        return cls(dim, widths, settings.shift.beta, settings.shift.dropout, cls.start(settings))

    def shift_batch(self, states: Tensor, batch: NetworkInput, dataset: str) -> Tensor:
        """Shift the word pieces of a batch by the frames of their words before the encoder.

        Raises:
            ConfigError: a segment has fewer frames than words.
        """
        rows, present = _rows(batch)
        shifted: Tensor = self(states, rows, present, dataset)
        return shifted

    def shift_row(self, row: Tensor, words: Layout, batch: NetworkInput, dataset: str) -> Tensor:
        """Do the same as :meth:`shift_batch` with word pieces that lie in a row."""
        features, present = _rows(batch)
        given = {m: each.index_select(0, words.segments)[:, None] for m, each in present.items()}
        packed = {m: words.pack(each) for m, each in features.items()}
        return self._shift(row, packed, given, dataset)

    def explain_batch(self, states: Tensor, batch: NetworkInput, dataset: str) -> ShiftExplanation:
        """Explain the shift; each piece attends only to the frame of its word.

        Raises:
            ConfigError: a segment has fewer frames than words.
        """
        parts = {}
        rows, present = _rows(batch)
        for modality, each in rows.items():
            given = present[modality][:, None, None]
            gate = self._gate(modality, states, each, dataset) * given
            frames = torch.arange(batch.frames[modality].size(1), device=states.device)
            own = (batch.word_index.unsqueeze(-1) == frames) & given
            value = self.values[modality](each, dataset)
            parts[modality] = ShiftPart(gate * value, gate, own.to(states.dtype))
        return self.explained(states, parts, batch.input_mask.bool())

    def forward(
        self,
        states: Tensor,
        features: Mapping[str, Tensor],
        present: Mapping[str, Tensor],
        dataset: str,
    ) -> Tensor:
        """Shift the word pieces of a batch.

        Args:
            states: z, ``(batch, pieces, dim)``.
            features: modality -> its features for each piece, ``(batch, pieces, width)``.
            present: modality -> whether a segment has it, bool ``(batch,)``.
            dataset: the dataset that the batch comes from, which determines the widths.

        Returns:
            Shifted states, ``(batch, pieces, dim)``.
        """
        given = {m: each[:, None, None] for m, each in present.items()}
        return self._shift(states, features, given, dataset)

    def _shift(
        self,
        states: Tensor,
        features: Mapping[str, Tensor],
        given: Mapping[str, Tensor],
        dataset: str,
    ) -> Tensor:
        displacement = torch.zeros_like(states)
        for modality, rows in features.items():
            gate = self._gate(modality, states, rows, dataset)
            value = self.values[modality](rows, dataset)
            displacement = displacement + gate * value * given[modality]
        return self.displace(states, displacement)

    def _gate(self, modality: str, states: Tensor, rows: Tensor, dataset: str) -> Tensor:
        gate: Tensor = self.gates[modality](torch.cat((rows, states), dim=-1), dataset)
        return gate.relu()


def _rows(batch: NetworkInput) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return each piece's frame, ``(batch, pieces, width)``, and which segments have one."""
    frames, masks = batch.frames, batch.frame_masks
    rows = {m: aligned_frames(frames[m], masks[m], batch.word_index, m) for m in frames}
    return rows, {m: masks[m].any(1) for m in frames}
