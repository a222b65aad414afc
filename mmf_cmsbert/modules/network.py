"""CMSBERT: a BERT whose words are shifted, a head for sentiment, one embedding a modality."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.backbone import replaced_output, shift_place
from mmf_cmsbert.modules.frame_encoder import FrameEncoder
from mmf_cmsbert.modules.frame_scale import FrameScale
from mmf_cmsbert.modules.pooling import AttentionPooling, mean_pool
from mmf_cmsbert.modules.settings import NetworkSettings
from mmf_cmsbert.modules.utterance_shift import UtteranceShift
from mmf_cmsbert.modules.word_shift import WordShift, frames_of_pieces


@dataclass
class CMSBertOutput:
    """What the network computes for a batch.

    Attributes:
        logits: the head's output, ``(batch, outputs)``: the sentiment itself for regression
            (``outputs`` is 1), one logit a class for classification.
        embeddings: modality -> L2-normalised embedding in the common space, ``(batch, embed_dim)``.
        present: modality -> whether a segment has that modality at all, bool ``(batch,)``.
    """

    logits: Tensor
    embeddings: dict[str, Tensor]
    present: dict[str, Tensor]


class CMSBert(nn.Module):
    """Text encoder, shift, heads (Kim & Kim, IJCNN 2022; see the README for what is our reading).

    Args:
        backbone: the text encoder, as :func:`load_backbone` gives it.
        widths: modality -> dataset -> width of its frames. Words are not listed.
        settings: everything else, see :class:`NetworkSettings`.

    Raises:
        ConfigError: settings that this backbone cannot follow.
    """

    def __init__(
        self,
        backbone: PreTrainedModel,
        widths: Mapping[str, Mapping[str, int]],
        settings: NetworkSettings,
    ):
        super().__init__()
        self.settings = settings
        self.modalities = tuple(widths)
        self.backbone = backbone
        dim = backbone.config.hidden_size
        shift_place(backbone, settings.shift_layer)

        self.frame_scales = nn.ModuleDict({m: FrameScale(each) for m, each in widths.items()})
        self.frame_encoders = nn.ModuleDict(
            {
                modality: FrameEncoder(
                    each,
                    settings.frame_dim,
                    settings.frame_layers,
                    settings.frame_heads,
                    settings.frame_dropout,
                )
                for modality, each in widths.items()
            }
        )
        self.shift = self._build_shift(dim, widths)
        self.pooling = AttentionPooling(dim) if settings.pooling == "attention" else None
        if settings.pooling != "cls" and getattr(backbone, "pooler", None) is not None:
            backbone.pooler = None  # its weights would never get a gradient
        self.dropout = nn.Dropout(settings.head_dropout)
        self.head = nn.Linear(dim, settings.classes or 1)

        self.frame_pooling = nn.ModuleDict(
            {m: AttentionPooling(settings.frame_dim) for m in self.modalities}
        )
        self.projections = nn.ModuleDict(
            {"text": nn.Linear(dim, settings.embed_dim)}
            | {m: nn.Linear(settings.frame_dim, settings.embed_dim) for m in self.modalities}
        )

    def _build_shift(self, dim: int, widths: Mapping[str, Mapping[str, int]]) -> nn.Module | None:
        settings = self.settings
        if settings.shift_context == "none" or not self.modalities:
            return None
        if settings.shift_context == "word":
            return WordShift(dim, widths, settings.shift_beta, settings.shift_dropout)
        return UtteranceShift(
            dim,
            settings.frame_dim,
            self.modalities,
            settings.frame_heads,
            settings.shift_gate,
            settings.shift_beta,
            settings.shift_dropout,
        )

    def forward(
        self,
        input_ids: Tensor,
        input_mask: Tensor,
        word_index: Tensor,
        frames: Mapping[str, Tensor],
        frame_masks: Mapping[str, Tensor],
        dataset: str,
    ) -> CMSBertOutput:
        """Compute sentiment and embeddings of a batch of segments.

        Args:
            input_ids: word pieces, ``(batch, pieces)``.
            input_mask: 1 where there is a piece, ``(batch, pieces)``.
            word_index: the word that a piece belongs to, -1 for none, ``(batch, pieces)``.
            frames: modality -> frames, ``(batch, frames, width)``. With ``shift.context=word``
                frame i belongs to word i; otherwise each modality has its own number of frames.
            frame_masks: modality -> True where a frame was recorded, ``(batch, frames)``.
            dataset: the dataset that the batch comes from, which decides the widths.

        Raises:
            ConfigError: ``shift.context=word`` on frames that are not aligned with the words.
        """
        mask = input_mask.bool()
        frames = {m: self.frame_scales[m](frames[m], dataset) for m in frames}
        encoded = {m: self.frame_encoders[m](frames[m], frame_masks[m], dataset) for m in frames}
        present = {m: frame_masks[m].any(1) for m in frames}

        unshifted: list[Tensor] = []

        def shift(states: Tensor) -> Tensor:
            unshifted.append(states)
            if isinstance(self.shift, UtteranceShift):
                return self.shift(states, mask, encoded, frame_masks)
            if isinstance(self.shift, WordShift):
                rows = {m: _aligned_rows(frames[m], frame_masks[m], word_index, m) for m in frames}
                return self.shift(states, rows, present, dataset)
            return states

        place = shift_place(self.backbone, self.settings.shift_layer)
        with replaced_output(place, shift):
            output = self.backbone(input_ids=input_ids, attention_mask=input_mask)

        fused = self._pool(output, mask)
        verbal = mean_pool(unshifted[0], mask) if self.settings.text_state == "verbal" else fused
        embeddings = {"text": self._embed("text", verbal)}
        for m in self.modalities:
            if m in encoded:
                pooled = self.frame_pooling[m](encoded[m], frame_masks[m])
                embeddings[m] = self._embed(m, pooled)
            else:  # a dataset that lacks the modality altogether
                embeddings[m] = torch.zeros_like(embeddings["text"])
                present[m] = torch.zeros_like(mask[:, 0])
        present["text"] = torch.ones_like(mask[:, 0])
        return CMSBertOutput(self.head(self.dropout(fused)), embeddings, present)

    def _pool(self, output, mask: Tensor) -> Tensor:
        """The fused text state ``(batch, dim)`` that ``backbone.pooling`` asks for."""
        states = output.last_hidden_state
        if self.settings.pooling == "mean":
            return mean_pool(states, mask)
        if self.pooling is not None:
            return self.pooling(states, mask)
        pooled = getattr(output, "pooler_output", None)
        return states[:, 0] if pooled is None else pooled

    def _embed(self, modality: str, state: Tensor) -> Tensor:
        projection = self.projections[modality]
        # Not under autocast: half precision would blur the similarities.
        with torch.autocast(state.device.type, enabled=False):
            return F.normalize(projection(state.to(projection.weight.dtype)), dim=-1)


def _aligned_rows(frames: Tensor, mask: Tensor, word_index: Tensor, modality: str) -> Tensor:
    """Each piece's own frame ``(batch, pieces, width)``, of segments that have the modality."""
    words, given = word_index.amax(1) + 1, mask.sum(1)
    short = (given > 0) & (given < words)
    if short.any():
        first = short.int().argmax()
        raise ConfigError(
            f"shift.context=word needs one {modality} frame a word, but a segment has "
            f"{int(words[first])} words and {int(given[first])} frames. For data that is not "
            "aligned with the words type model_config.cmsbert.shift.context=utterance"
        )
    return frames_of_pieces(frames, word_index.clamp(max=frames.size(1) - 1))
