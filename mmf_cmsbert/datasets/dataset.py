"""Segments as an MMF dataset."""

from typing import Any

import numpy as np
import torch
from mmf.common.registry import registry
from mmf.common.sample import Sample, SampleList
from mmf.datasets.base_dataset import BaseDataset
from mmf.utils.build import build_processors

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.targets import RegressionTarget, label_field, main, score_field
from mmf_cmsbert.datasets.answers import answers, label_tensor, label_value
from mmf_cmsbert.datasets.batching import pad_frames, pad_pieces
from mmf_cmsbert.datasets.segment import Segment, in_order
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.datasets.stores.stored_pieces import StoredPieces, stored_pieces
from mmf_cmsbert.errors import ConfigError


class SentimentDataset(BaseDataset):
    """One split of a corpus: segments from a store, with cached word pieces.

    A prepared batch has ``input_ids``, ``input_mask``, ``segment_ids``, ``word_index`` (see
    :func:`~mmf_cmsbert.datasets.batching.pad_pieces`); for each modality of ``features`` float32
    ``<modality> (batch, frames, width)`` and bool ``<modality>_mask (batch, frames)``, all false
    for a segment without the modality; ``targets``, the labels of the main target, and
    ``targets_<name>``, those of each target: float32 ``(batch, 1)`` of a number, int64 ``(batch,)``
    of classes, float32 ``(batch, labels)`` of several labels, NaN or -100 for an unknown label (see
    :func:`~mmf_cmsbert.datasets.answers.label_tensor`); ``segment_id``, a list; and ``id
    (batch,)``, the segment's number in the split, which MMF gathers across processes. With a
    ``region_processor`` it also has the fields that MMF's models read, see
    :func:`~mmf_cmsbert.processors.regions.as_regions`.

    Args:
        dataset_name: ``mosi`` or ``mosei``.
        config: ``dataset_config.<dataset_name>``.
        dataset_type: ``train``, ``val`` or ``test``.
        segments: the split.
        settings: ``config``, checked.
    """

    def __init__(
        self,
        dataset_name: str,
        config: Any,
        dataset_type: str,
        segments: StoredSegments,
        settings: SentimentDatasetConfig,
    ):
        super().__init__(dataset_name, config, dataset_type)
        self._segments = segments
        self._widths = {m: settings.widths[m] or 0 for m in in_order(settings.widths)}
        self._main = main(settings.predicted)[0]
        # Name -> target, and whether it is the main one.
        self._targets = {n: (each, n == self._main) for n, each in settings.predicted.items()}
        self._key = f"dataset_config.{dataset_name}"
        self._normalise = settings.normalise
        self._store_dir = settings.store_folder
        self._pieces: StoredPieces | None = None
        self.region_processor = None

    def init_processors(self) -> None:
        # As MMF's method, but passes each processor its configuration key.
        for name, section in self.config.processors.items():
            if section and registry.get_processor_class(section.type) is None:
                raise ConfigError(
                    f"{self._key}.processors.{name}.type is {section.type!r}, which is not a "
                    "registered processor; these datasets use word_pieces and frames_as_regions"
                )
        processors: dict[str, Any] = {}
        for name, section in self.config.processors.items():
            processors |= build_processors(
                {name: section},
                f"{self.dataset_name}_{{}}",
                data_dir=self.config.data_dir,
                key=f"{self._key}.processors.{name}.params",
            )
        for name, processor in processors.items():
            setattr(self, name, processor)
            registry.register(f"{self.dataset_name}_{name}", processor)
        self._check_regions()
        word_processor = processors.get("word_processor")
        if not (hasattr(word_processor, "pad_id") and hasattr(word_processor, "fingerprint")):
            raise ConfigError(
                f"{self._key}.processors.word_processor must return word pieces with the index of "
                f"their word; type {self._key}.processors.word_processor.type=word_pieces"
            )
        name = f"{self.dataset_name} {self.dataset_type}: word pieces"
        self._pieces = stored_pieces(self._segments, self.word_processor, self._store_dir, name)
        mmf_log.write(self._summary())

    def __len__(self) -> int:
        return len(self._segments)

    def __getitem__(self, idx: int) -> Sample:
        assert self._pieces is not None  # MMF initializes processors first
        segment, pieces = self._segments[idx], self._pieces[idx]
        sample = Sample()
        sample.id = torch.tensor(idx)
        sample.segment_id = segment.id
        for name, (target, is_main) in self._targets.items():
            sample[label_field(name)] = label_tensor(segment.values_of(name, is_main), target)
        sample.targets = sample[label_field(self._main)]
        # MMF stacks tensors, which must have equal lengths; arrays are padded in prepare_batch.
        sample.input_ids = pieces["input_ids"]
        sample.word_index = pieces["word_index"]
        frames = {modality: self._frames(segment, modality) for modality in self._widths}
        sample.update(frames)
        if self.region_processor is not None:
            sample.update(self.region_processor(frames))
        return sample

    @property
    def synthetic(self) -> bool:
        """Whether the segments, or a part of each, are generated."""
        return self._segments.manifest.synthetic

    @property
    def extractors(self) -> dict[str, Any]:
        """The card of the extractors of the frames that are used; empty if it is unknown."""
        card = self._segments.manifest.extractors
        unused = [modality for modality, width in self._widths.items() if not width]
        return {key: each for key, each in card.items() if key not in unused}

    def prepare_batch(self, batch: SampleList) -> SampleList:
        """Pad the batch to its longest segment and move it to the device."""
        padded = SampleList()
        padded.add_field("targets", batch["targets"])
        pieces = pad_pieces(batch["input_ids"], batch["word_index"], self.word_processor.pad_id)
        for name, tensor in pieces.items():
            padded.add_field(name, tensor)
        for modality, width in self._widths.items():
            frames, mask = pad_frames(batch[modality], width)
            padded.add_field(modality, frames)
            padded.add_field(f"{modality}_mask", mask)
        for name in batch:
            if name not in padded:
                padded.add_field(name, batch[name])
        return super().prepare_batch(padded)

    def format_for_prediction(self, report: Any) -> list[dict[str, Any]]:
        """Return a row for each segment: id, and of each target the answer and the label if known.

        See :meth:`~mmf_cmsbert.datasets.answers.Answer.as_row` for the columns.
        """
        segments = [self._segments[i] for i in report.id.tolist()]
        rows: list[dict[str, Any]] = [{"id": segment.id} for segment in segments]
        for name, (target, is_main) in self._targets.items():
            scores = report.scores if is_main else report.get(score_field(name))
            if scores is None:  # a model of the main target alone
                continue
            if scores.size(-1) != target.outputs:
                raise ConfigError(
                    f"the model returns {scores.size(-1)} scores per segment; expected "
                    f"{target.outputs} for {name}, which is {target.expected()}. Set the model's "
                    f"number of outputs (num_labels: {target.outputs})"
                )
            shown = "" if is_main else name
            for row, segment, answer in zip(rows, segments, answers(scores, target), strict=True):
                row |= answer.as_row(shown)
                label = label_value(segment.values_of(name, is_main), target)
                row[f"{name}_label" if shown else "label"] = label
        return rows

    def _check_regions(self) -> None:
        """Check that the configured frames can be used as regions."""
        if self.region_processor is None:
            return
        modality = getattr(self.region_processor, "modality", None)
        if modality and not self._widths.get(modality):
            raise ConfigError(
                f"{self._key}.processors.region_processor.params.modality is {modality}, and "
                f"{self._key}.features.{modality} is null; expected one of "
                f"{', '.join(m for m, width in self._widths.items() if width) or 'no modality'}"
            )
        if self._normalise == "corpus":
            raise ConfigError(
                f"{self._key}.normalise is corpus, which only model cmsbert supports: the "
                "constants are part of its weights. For other models' regions type "
                f"{self._key}.normalise=segment"
            )

    def _frames(self, segment: Segment, modality: str) -> np.ndarray:
        frames, width = segment.frames.get(modality), self._widths[modality]
        return np.empty((0, width), np.float32) if frames is None or not width else frames

    def _summary(self) -> str:
        manifest = self._segments.manifest
        count, labels = manifest.segments, manifest.labels
        parts = [
            f"{count} {'synthetic ' if manifest.synthetic else ''}segments",
            f"longest {manifest.longest['words']} words",
            self._labels_in_words(),
        ]
        if labels not in (0, count):
            parts.append(f"{count - labels} without a label")
        if self._pieces is not None and (cut := self._pieces.truncated):
            parts.append(f"{cut} truncated to max_seq_length={self.word_processor.max_seq_length}")
        for modality, width in self._widths.items():
            if width and (missing := manifest.missing.get(modality, count)):
                parts.append(f"{missing} without {modality}")
        if skipped := manifest.skipped:
            parts.append(f"{len(skipped)} skipped, the first because of {skipped[0]}")
        return f"{self.dataset_name} {self.dataset_type}: {', '.join(parts)}"

    def _labels_in_words(self) -> str:
        manifest = self._segments.manifest
        if isinstance(self._targets[self._main][0], RegressionTarget) and manifest.labels:
            return f"label mean {manifest.label_mean:.2f}"
        return f"{manifest.labels} with a label" if manifest.labels else "no labels"
