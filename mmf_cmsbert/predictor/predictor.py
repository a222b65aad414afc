"""Predictions for segments, from Python, without MMF."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from mmf_cmsbert.checkpoints import model_files, model_folder
from mmf_cmsbert.checkpoints.model_folder import ModelConfig
from mmf_cmsbert.config.schemas.targets import RegressionTarget, main
from mmf_cmsbert.datasets.answers import Answer, answers, label_value
from mmf_cmsbert.datasets.batching import pad_frames, pad_pieces
from mmf_cmsbert.datasets.preparation import prepared
from mmf_cmsbert.datasets.segment import Segment, in_order, unaligned
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import ConfigError, SegmentError
from mmf_cmsbert.media.card import Card, check_same
from mmf_cmsbert.modules.backbone import load_backbone
from mmf_cmsbert.modules.network import SentimentNetwork
from mmf_cmsbert.modules.precision import Precision
from mmf_cmsbert.modules.sentiment_score import target_scores
from mmf_cmsbert.modules.shifts.registry import shift_named
from mmf_cmsbert.predictor import explaining, inputs, saving
from mmf_cmsbert.predictor.prediction import Explanation, Prediction
from mmf_cmsbert.processors.word_pieces import WordPieceEncoder, load_tokenizer

# Number of batches whose segments are sorted by length.
WINDOW = 16


class SentimentPredictor:
    """A trained model that predicts sentiment from words, face and voice.

    >>> from mmf_cmsbert import SentimentPredictor
    >>> predictor = SentimentPredictor("my_model")
    >>> found = predictor("a very good film")
    >>> -3 <= found.sentiment <= 3
    True
    >>> many = predictor([{"text": "good", "id": "a"}, {"words": ["bad"], "id": "b"}])
    >>> [each.id for each in many]
    ['a', 'b']
    >>> explained = predictor("a very good film", explain=True).explanation
    >>> [word.word for word in explained.words]
    ['a', 'very', 'good', 'film']

    Args:
        model: a folder written by ``cmsbert export``, the folder of a run with an exported model,
            or ``OWNER/NAME`` on the Hugging Face hub.
        device: the device; by default a GPU if available.
        dataset: for a model that was trained on several datasets, the one whose widths and
            preparation apply.
        revision: branch, tag or commit on the hub.
        precision: ``fp32`` or ``bf16``, or on a GPU ``tf32`` or ``fp16``, as
            ``evaluation.precision`` of a run. With 16 bits, scores differ in the third digit.
        **download: further arguments of ``huggingface_hub.snapshot_download``, such as ``token``
            or ``local_files_only``.

    Raises:
        UserError: the model is not found, damaged, or of a newer version, or the device does not
            support the precision.

    Attributes:
        config: the model's configuration.
        network: the network, in evaluation mode.
        tokenizer: a fast tokenizer of transformers.
        dataset: the dataset whose widths and preparation apply.
        targets: what is predicted, name -> target, the main one first.
        precision: the :class:`~mmf_cmsbert.modules.precision.Precision` of the network's products.
        label_targets: ``targets``, if the dataset declares its targets; else None. Labels in inputs
            are then numbers.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        device: str | torch.device | None = None,
        dataset: str | None = None,
        revision: str | None = None,
        precision: str = "fp32",
        **download: Any,
    ):
        folder = model_folder.find(model, revision, **download)
        config = model_folder.read_config(folder)
        _check_shift(config, folder)
        network = build_network(config)
        weights = model_folder.read_weights(folder, config)
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            problem = [line.strip() for line in str(error).splitlines()[1:2]]
            raise ConfigError(
                f"{folder / model_folder.WEIGHTS} does not fit {folder / model_files.CONFIG}: "
                f"{problem[0][:300] if problem else error}. Export the model again"
            ) from error
        tokenizer = load_tokenizer(str(folder), str(folder))
        self._set(config, network, tokenizer, device, dataset, precision)

    @classmethod
    def of(
        cls,
        config: ModelConfig,
        network: SentimentNetwork,
        tokenizer: Any,
        device: str | torch.device | None = None,
        dataset: str | None = None,
        precision: str = "fp32",
    ) -> SentimentPredictor:
        """Create a predictor from parts in memory; arguments as the attributes."""
        predictor = cls.__new__(cls)
        predictor._set(config, network, tokenizer, device, dataset, precision)
        return predictor

    @classmethod
    def from_pretrained(cls, model: str | Path, **kwargs: Any) -> SentimentPredictor:
        """Do the same as the constructor; the name used by Hugging Face's libraries."""
        return cls(model, **kwargs)

    def _set(
        self,
        config: ModelConfig,
        network: SentimentNetwork,
        tokenizer: Any,
        device: str | torch.device | None,
        dataset: str | None,
        precision: str,
    ) -> None:
        names = list(config.datasets)
        if dataset is None and len(names) == 1:
            (dataset,) = names
        if dataset not in config.datasets:
            raise ConfigError(
                f"dataset is {dataset!r}; the model was trained on {', '.join(names)}, and its "
                f"widths depend on it. Name one of them, as in dataset={names[0]!r}"
            )
        self.config, self.dataset = config, dataset
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.precision = Precision.read("precision", precision, self.device)
        self.network = network.to(self.device).eval()
        self.tokenizer = tokenizer
        length = config.datasets[dataset].max_seq_length
        self._encoder = WordPieceEncoder(tokenizer, length, f"datasets.{dataset}")
        self._widths = config.widths(dataset)
        self.targets = config.model.predicted(dataset)
        # Labels of inputs are read by declared targets.
        declared = (config.model.targets or {}).get(dataset) is not None
        self.label_targets = self.targets if declared else None

    @overload
    def __call__(
        self,
        given: str | Segment | Mapping[str, Any],
        *,
        batch_size: int = ...,
        explain: bool = ...,
    ) -> Prediction: ...

    @overload
    def __call__(
        self, given: Iterable[Any], *, batch_size: int = ..., explain: bool = ...
    ) -> list[Prediction]: ...

    def __call__(
        self, given: Any, *, batch_size: int = 32, explain: bool = False
    ) -> Prediction | list[Prediction]:
        """Predict the sentiment, or other targets, of one segment or of several.

        Args:
            given: a text, a mapping of fields or a :class:`~mmf_cmsbert.datasets.segment.Segment`;
                or several of them: a list, a store, a ``datasets.Dataset``, a data frame. See
                :func:`~mmf_cmsbert.predictor.inputs.as_segment` for the fields. Every modality but
                the text can be missing.
            batch_size: number of segments that are computed together.
            explain: whether to add a :class:`.prediction.Explanation`. The backbone runs a second
                time.

        Returns:
            A prediction for one segment, else a list in the order of the input.

        Raises:
            ConfigError: a store has frames of other extractors than the training data.
            SegmentError: an input cannot be used; the message names it. :meth:`stream` yields the
                error and continues.
        """
        if isinstance(given, StoredSegments):
            self.check_extractors(given.manifest.extractors, str(given.folder))
        if inputs.is_one(given):
            return self([given], batch_size=batch_size, explain=explain)[0]
        found = []
        segments = inputs.segments(given, self._widths, self.label_targets)
        for each in self.stream(segments, batch_size, explain):
            if isinstance(each, SegmentError):
                raise each
            found.append(each)
        return found

    def stream(
        self,
        segments: Iterable[Segment | SegmentError],
        batch_size: int = 32,
        explain: bool = False,
    ) -> Iterator[Prediction | SegmentError]:
        """Yield a prediction for each segment in order, or the error of an unusable segment.

        Keeps ``16 * batch_size`` segments in memory, and computes those of similar length together.

        Raises:
            ValueError: ``batch_size`` is not at least 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; expected at least 1")
        rest = iter(segments)
        while window := [self._checked(each) for each in islice(rest, WINDOW * batch_size)]:
            good = [i for i, each in enumerate(window) if isinstance(each, Segment)]
            good.sort(key=lambda i: len(window[i].words))  # type: ignore[union-attr]
            results: list[Any] = list(window)
            for first in range(0, len(good), batch_size):
                rows = good[first : first + batch_size]
                batch = [results[i] for i in rows]
                for i, prediction in zip(rows, self._predict(batch, explain), strict=True):
                    results[i] = prediction
            yield from results

    def _checked(self, segment: Segment | SegmentError) -> Segment | SegmentError:
        """Prepare a segment for the network; return the error if it cannot be used."""
        if isinstance(segment, SegmentError):
            return segment
        try:
            settings = self.config.datasets[self.dataset]
            frames = {
                m: self._frames(segment, m, settings.non_finite)
                for m in segment.frames
                if m in self._widths
            }
            segment = prepared(
                replace(segment, frames=frames),
                settings.max_frames,
                settings.normalise == "segment",
                settings.single_frame == "every_word",
            )
            shift = self.network.shift
            if shift is not None and shift.needs_alignment and (found := unaligned(segment)):
                raise SegmentError(f"{found}; this model needs one frame per word")
        except SegmentError as error:
            return error
        return segment

    def _frames(self, segment: Segment, modality: str, non_finite: str) -> np.ndarray:
        frames, width = segment.frames[modality], self._widths[modality]
        if frames.shape[1] != width:
            raise SegmentError(
                f"segment {segment.id} has {modality} frames of width {frames.shape[1]}, but the "
                f"model reads {width}; extract them as for its training data, or omit {modality}"
            )
        if not np.isfinite(frames).all():
            if non_finite == "error":
                raise SegmentError(
                    f"segment {segment.id} has {modality} values that are not finite; replace them"
                )
            frames = np.nan_to_num(frames, posinf=0.0, neginf=0.0)
        return frames

    @torch.inference_mode()
    def _predict(self, segments: list[Segment], explain: bool) -> list[Prediction]:
        batch = self._batch(segments)
        with self.precision.products(self.device, self.network):
            with self.precision.autocast(self.device):
                output = self.network(**batch, dataset=self.dataset)
            shift = self.network.explain(**batch, dataset=self.dataset) if explain else None
        found = target_scores(output, self.config.model, self.dataset)
        by_target = {name: answers(found[name], each) for name, each in self.targets.items()}
        shares: list[list[float] | None] = [None] * len(segments)
        if self.config.model.head.classes:
            shares = output.logits.softmax(-1).tolist()
        explained: Sequence[Explanation | None] = [None] * len(segments)
        if explain:
            explained = explaining.explanations(segments, batch["word_index"], output, shift)
        return [
            self._prediction(
                segment,
                {n: each[row] for n, each in by_target.items()},
                shares[row],
                explained[row],
            )
            for row, segment in enumerate(segments)
        ]

    def _prediction(
        self,
        segment: Segment,
        found: Mapping[str, Answer],
        shares: list[float] | None,
        explanation: Explanation | None,
    ) -> Prediction:
        first, target = main(self.targets)
        labels = {
            name: label_value(segment.values_of(name, name == first), each)
            for name, each in self.targets.items()
        }
        value = found[first].value
        is_number = isinstance(target, RegressionTarget)
        probabilities = shares or list(found[first].probabilities.values())
        return Prediction(
            segment.id,
            value if isinstance(value, float) else None,
            segment.label if is_number else labels.pop(first),
            tuple(probabilities) or None,
            explanation,
            found,
            {name: label for name, label in labels.items() if name != first},
            target,
        )

    def _batch(self, segments: list[Segment]) -> dict[str, Any]:
        """Return the arguments of the network, except for the dataset, on its device."""
        pieces = [self._encoder.encode(segment.words) for segment in segments]
        padded = pad_pieces(
            [each.input_ids for each in pieces],
            [each.word_index for each in pieces],
            self._encoder.pad_id,
        )
        frames: dict[str, Tensor] = {}
        masks: dict[str, Tensor] = {}
        for modality, width in self._widths.items():
            none = np.empty((0, width), np.float32)
            given = [segment.frames.get(modality, none) for segment in segments]
            one, mask = pad_frames(given, width)
            frames[modality], masks[modality] = one.to(self.device), mask.to(self.device)
        names = ("input_ids", "input_mask", "word_index")
        return {name: padded[name].to(self.device) for name in names} | {
            "frames": frames,
            "frame_masks": masks,
        }

    @property
    def extractors(self) -> Card:
        """The card of the extractors of the training data's frames; empty if it is unknown."""
        found = (self.config.training.get("extractors") or {}).get(self.dataset)
        return found if isinstance(found, dict) else {}

    def check_extractors(self, card: Card, where: str) -> None:
        """Refuse frames of other extractors than those of the training data.

        Args:
            card: of the frames, see :mod:`mmf_cmsbert.media.card`.
            where: where they are, for the message.

        Raises:
            ConfigError: a modality that the model reads has another extractor.
        """
        check_same(self.extractors, card, "the model's training data", where, self._widths)

    def fingerprint(self) -> str:
        """Return a hash of the configuration and the weights, in hexadecimal."""
        config = self.config.model_dump_json(exclude={"weights_sha256"})
        digest = hashlib.sha256(config.encode())
        for name, tensor in sorted(self.network.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.detach().cpu().contiguous().numpy().data)
        return digest.hexdigest()

    def save_pretrained(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Write the model to a folder: weights, configuration, tokenizer and model card.

        The folder is written atomically.

        Args:
            folder: the folder to write to.
            overwrite: whether to replace an exported model in the folder.

        Raises:
            ConfigError: the folder is not empty.
            UserError: the folder cannot be written.
        """
        saving.save(folder, self.config, self.network.state_dict(), self.tokenizer, overwrite)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool | None = None,
        token: str | None = None,
        revision: str | None = None,
        commit_message: str = "Upload model",
        create_pr: bool = False,
    ) -> str:
        """Upload the model to the Hugging Face hub.

        Args:
            repo_id: ``OWNER/NAME``, which is created if it does not exist.
            private: whether a new repository is private.
            token: the user's token; by default that of ``hf auth login``.
            revision: the branch to upload to.
            commit_message: the message of the commit.
            create_pr: whether to open a pull request instead.

        Returns:
            The URL of the commit.
        """
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / repo_id.split("/")[-1]
            self.save_pretrained(folder)
            try:
                repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
                commit = api.upload_folder(
                    repo_id=repo_id,
                    folder_path=folder,
                    revision=revision,
                    commit_message=commit_message,
                    create_pr=create_pr,
                )
            except Exception as error:  # of the network, the hub, or the library that speaks to it
                reason = (str(error).strip().splitlines() or ["no reason given"])[0]
                raise ConfigError(
                    f"{repo_id} could not be uploaded to the Hugging Face hub "
                    f"({type(error).__name__}: {reason[:200]}). Expected OWNER/NAME that the token "
                    "may write to (hf auth login), and a connection to the hub"
                ) from error
        return str(commit.commit_url)


def _check_shift(config: ModelConfig, folder: Path) -> None:
    """Raise a ConfigError if the shift is not registered, because its package is not imported."""
    try:
        shift_named(config.model.shift.context, "model.shift.context")
    except ConfigError as error:
        raise ConfigError(
            f"{folder / model_files.CONFIG}: model.shift.context is "
            f"{config.model.shift.context!r}, the shift {config.shift_class} of a package outside "
            "mmf_cmsbert, which is not imported. Import the package that registers it before the "
            "model is loaded (cmsbert: --user-dir FOLDER)"
        ) from error


def build_network(config: ModelConfig) -> SentimentNetwork:
    """Build the network of a configuration, with random weights."""
    widths: dict[str, dict[str, int]] = {}
    for dataset in config.model.features or {}:
        for modality, width in config.widths(dataset).items():
            widths.setdefault(modality, {})[dataset] = width
    ordered = {m: widths[m] for m in in_order(widths)}
    return SentimentNetwork(load_backbone(from_config=config.backbone), ordered, config.model)
