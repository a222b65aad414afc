"""CMSBERT: a BERT with shifted words, a head for sentiment, and an embedding per modality."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.backbone import encoder_layers, replaced_output, shift_place
from mmf_cmsbert.modules.dropout import use_fast_dropout
from mmf_cmsbert.modules.frame_encoder import FrameEncoder
from mmf_cmsbert.modules.frame_scale import FrameScale
from mmf_cmsbert.modules.length_groups import group_by_length
from mmf_cmsbert.modules.network_input import NetworkInput, Rows
from mmf_cmsbert.modules.network_output import NetworkOutput
from mmf_cmsbert.modules.packed_backbone import allow_packing, encode_packed, packs
from mmf_cmsbert.modules.packing import Layout, Packing, Padding
from mmf_cmsbert.modules.pooling import AttentionPooling, mean_row
from mmf_cmsbert.modules.precision import full_precision
from mmf_cmsbert.modules.shifts.base import Shift
from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation
from mmf_cmsbert.modules.shifts.registry import shift_named

# Names that a dict of modules cannot have.
_RESERVED = frozenset(dir(nn.ModuleDict()))
# Cost of another pass through the backbone on a CPU, in padded word pieces (measured with MiniLM,
# 2 threads).
_GROUP_OVERHEAD = 60.0


class SentimentNetwork(nn.Module):
    """Text encoder, shift, a head for each target (Kim & Kim, IJCNN 2022; docs/paper.md).

    Args:
        backbone: the text encoder, from :func:`load_backbone`.
        widths: modality -> dataset -> width of its frames, without words.
        settings: everything else, see ``configs/models/cmsbert/defaults.yaml``.

    Raises:
        ConfigError: this backbone does not support the settings.
    """

    def __init__(
        self,
        backbone: PreTrainedModel,
        widths: Mapping[str, Mapping[str, int]],
        settings: CMSBERTConfig,
    ):
        super().__init__()
        self.settings = settings
        self.modalities = tuple(widths)
        _check_names("modality", widths)
        _check_names("target", list(settings.heads())[1:])
        self.backbone = backbone
        dim = backbone.config.hidden_size
        shift_place(backbone, settings.shift.layer)
        if not isinstance(settings.backbone.length_groups, int):
            allow_packing(backbone)

        self.frame_scales = nn.ModuleDict({m: FrameScale(each) for m, each in widths.items()})
        self.frame_encoders = nn.ModuleDict(
            {
                modality: FrameEncoder(
                    each,
                    settings.frames.dim,
                    settings.frames.layers,
                    settings.frames.heads,
                    settings.frames.dropout,
                )
                for modality, each in widths.items()
            }
        )
        self.shift = self._build_shift(dim, widths)
        self.pooling = AttentionPooling(dim) if settings.backbone.pooling == "attention" else None
        if settings.backbone.pooling != "cls" and getattr(backbone, "pooler", None) is not None:
            # Its weights would never get a gradient.
            backbone.register_module("pooler", None)
        self.dropout = nn.Dropout(settings.head.dropout)
        (self._first, target), *further = settings.heads().items()
        self.head = nn.Linear(dim, settings.head.classes or target.outputs)

        self.frame_pooling = nn.ModuleDict(
            {m: AttentionPooling(settings.frames.dim) for m in self.modalities}
        )
        self.projections = nn.ModuleDict(
            {"text": nn.Linear(dim, settings.contrastive.dim)}
            | {m: nn.Linear(settings.frames.dim, settings.contrastive.dim) for m in self.modalities}
        )
        # Last, so that the other weights start equal with and without them.
        self.heads = nn.ModuleDict()
        for name, each in further:
            self.heads[name] = nn.Linear(dim, each.outputs)
        use_fast_dropout(self)

    def _build_shift(self, dim: int, widths: Mapping[str, Mapping[str, int]]) -> Shift | None:
        shift = shift_named(self.settings.shift.context, "model_config.cmsbert.shift.context")
        if shift is None or not self.modalities:
            return None
        return shift.from_settings(self.settings, dim, widths)

    def forward(
        self,
        input_ids: Tensor,
        input_mask: Tensor,
        word_index: Tensor,
        frames: Mapping[str, Tensor],
        frame_masks: Mapping[str, Tensor],
        dataset: str,
    ) -> NetworkOutput:
        """Compute the targets and embeddings of a batch of segments.

        Args:
            input_ids: word pieces, ``(batch, pieces)``.
            input_mask: 1 for word pieces, 0 for padding, ``(batch, pieces)``.
            word_index: the word that a piece belongs to, -1 for none, ``(batch, pieces)``.
            frames: modality -> frames, ``(batch, frames, width)``. With ``shift.context=word``
                frame i belongs to word i; otherwise each modality has its own number of frames.
            frame_masks: modality -> true for recorded frames, ``(batch, frames)``.
            dataset: the dataset that the batch comes from, which determines the widths.

        Raises:
            ConfigError: ``shift.context=word`` with frames that are not aligned with the words.
        """
        batch = NetworkInput(input_ids, input_mask, word_index, frames, frame_masks)
        batch = self._encode_frames(batch, dataset)
        states = self._encode_groups(batch, dataset)
        for m, encoded in batch.rows.items():
            pooling = cast(AttentionPooling, self.frame_pooling[m])
            states[m] = pooling.pool_row(encoded.row, encoded.layout)
        present = {m: mask.any(1) for m, mask in frame_masks.items()}
        present["text"] = torch.ones_like(input_mask[:, 0], dtype=torch.bool)
        embeddings = {"text": self._embed("text", states[self.settings.contrastive.text_state])}
        for m in self.modalities:
            if m in states:
                embeddings[m] = self._embed(m, states[m])
            else:  # the dataset lacks the modality
                embeddings[m] = torch.zeros_like(embeddings["text"])
                present[m] = torch.zeros_like(present["text"])
        fused = self.dropout(states["fused"]).to(self.head.weight.dtype)
        with full_precision(fused.device):  # half precision would round the scores
            found = {
                name: self.head(fused) if name == self._first else self.heads[name](fused)
                for name in self.settings.predicted(dataset)
            }
        (_, logits), *further = found.items()
        return NetworkOutput(logits, embeddings, present, dict(further))

    @torch.no_grad()
    def explain(
        self,
        input_ids: Tensor,
        input_mask: Tensor,
        word_index: Tensor,
        frames: Mapping[str, Tensor],
        frame_masks: Mapping[str, Tensor],
        dataset: str,
    ) -> ShiftExplanation | None:
        """Explain how :meth:`forward` shifts the word pieces of a batch; same arguments.

        Call it in evaluation mode: dropout would change what is explained.

        Returns:
            None if the network has no shift.

        Raises:
            ConfigError: ``shift.context=word`` with frames that are not aligned with the words.
        """
        shift = self.shift
        if shift is None:
            return None
        batch = NetworkInput(input_ids, input_mask, word_index, frames, frame_masks)
        batch = self._encode_frames(batch, dataset)
        found: list[ShiftExplanation] = []

        def explained(words: Tensor) -> Tensor:
            found.append(shift.explain_batch(words, batch, dataset))
            return words  # the backbone's output is not used

        place = shift_place(self.backbone, self.settings.shift.layer)
        with replaced_output(place, explained):
            self.backbone(input_ids=input_ids, attention_mask=input_mask)
        return found[0]

    def _encode_frames(self, batch: NetworkInput, dataset: str) -> NetworkInput:
        """Scale and encode the frames of a batch."""
        layout = Padding if self._pads(batch) else Packing
        frames, rows = {}, {}
        for m, each in batch.frames.items():
            frames[m] = self.frame_scales[m](each, dataset)
            placed = layout(batch.frame_masks[m])
            encoder = cast(FrameEncoder, self.frame_encoders[m])
            row = encoder.encode_row(placed.pack(frames[m]), placed, dataset)
            rows[m] = Rows(row, placed)
        return replace(batch, frames=frames, rows=rows)

    def _pads(self, batch: NetworkInput) -> bool:
        """Return whether every segment is padded to the longest."""
        choice = self.settings.backbone.length_groups
        # At these sizes a GPU is limited by launches, not by padding (our guess, not measured).
        return choice == 1 or (choice == "auto" and batch.input_ids.device.type != "cpu")

    def _encode_groups(self, batch: NetworkInput, dataset: str) -> dict[str, Tensor]:
        """Run :meth:`_encode` with less padding, according to ``backbone.length_groups``."""
        choice = self.settings.backbone.length_groups
        if self._pads(batch):
            return self._encode(batch, dataset)
        most = choice if isinstance(choice, int) else None
        if most is None and packs(self.backbone):
            return self._encode_packed(batch, dataset)
        lengths = batch.lengths()
        groups = group_by_length(lengths["text"], most, _GROUP_OVERHEAD if most is None else 0.0)
        if len(groups) == 1:
            return self._encode(batch.padded(), dataset)
        parts = [self._encode(batch.part(rows, lengths), dataset) for rows in groups]
        order = torch.tensor(sum(groups, []), device=batch.input_ids.device).argsort()
        return {name: torch.cat([part[name] for part in parts])[order] for name in parts[0]}

    def _encode(self, batch: NetworkInput, dataset: str) -> dict[str, Tensor]:
        """Encode each segment, independently of other segments and of padding.

        Returns:
            ``fused``, the shifted text ``(batch, dim)``; with ``contrastive.text_state=verbal``
            also ``verbal``, the text before the shift.
        """
        words = Padding(batch.input_mask)
        shift, states = self._prepare(batch, words, dataset)
        place = shift_place(self.backbone, self.settings.shift.layer)
        with replaced_output(place, lambda padded: words.pad(shift(words.pack(padded)))):
            output = self.backbone(input_ids=batch.input_ids, attention_mask=batch.input_mask)
        pooled = getattr(output, "pooler_output", None)
        states["fused"] = self._pool(words.pack(output.last_hidden_state), words, pooled)
        return states

    def _encode_packed(self, batch: NetworkInput, dataset: str) -> dict[str, Tensor]:
        """Run :meth:`_encode` with the word pieces of all segments in one row, without padding."""
        words = Packing(batch.input_mask)
        shift, states = self._prepare(batch, words, dataset)
        place = shift_place(self.backbone, self.settings.shift.layer)
        # Unless the last layer's words are all shifted, or all pooled.
        firsts = (
            self.settings.backbone.pooling == "cls"
            and place is not encoder_layers(self.backbone)[-1]
        )
        with replaced_output(place, lambda row: shift(row.squeeze(0)).unsqueeze(0)):
            row = encode_packed(self.backbone, words.pack(batch.input_ids), words, firsts)
        if self.settings.backbone.pooling != "cls":
            states["fused"] = self._pool(row, words, None)
            return states
        first = row if firsts else words.firsts(row)
        pooler = getattr(self.backbone, "pooler", None)
        states["fused"] = first if pooler is None else pooler(first.unsqueeze(1))
        return states

    def _prepare(
        self, batch: NetworkInput, words: Layout, dataset: str
    ) -> tuple[Callable[[Tensor], Tensor], dict[str, Tensor]]:
        """Return a function that shifts word pieces ``(all, dim)``, and a dict for states."""
        states: dict[str, Tensor] = {}

        def shift(row: Tensor) -> Tensor:
            if self.settings.contrastive.text_state == "verbal":
                states["verbal"] = mean_row(row, words)
            if self.shift is None:
                return row
            return self.shift.shift_row(row, words, batch, dataset)

        return shift, states

    def _pool(self, row: Tensor, words: Layout, pooled: Tensor | None) -> Tensor:
        """Pool the fused text state to ``(batch, dim)``, according to ``backbone.pooling``."""
        if self.settings.backbone.pooling == "mean":
            return mean_row(row, words)
        if self.pooling is not None:
            return self.pooling.pool_row(row, words)
        return words.firsts(row) if pooled is None else pooled

    def _embed(self, modality: str, state: Tensor) -> Tensor:
        projection = cast(nn.Linear, self.projections[modality])
        with full_precision(state.device):  # half precision would round the similarities
            return F.normalize(projection(state.to(projection.weight.dtype)), dim=-1)


def _check_names(what: str, names: Iterable[str]) -> None:
    """Raise a ConfigError for a name that a dict of modules cannot have."""
    for name in names:
        if name in _RESERVED:
            raise ConfigError(
                f"the model has a {what} {name!r}, the name of a method of PyTorch's modules; "
                f"rename the {what} in the dataset's definition"
            )
