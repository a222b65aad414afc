"""CMSBERT-CLR as an MMF model: a thin adapter around the network of ``modules``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from mmf.common.registry import registry
from mmf.models.base_model import BaseModel
from omegaconf import OmegaConf, open_dict
from torch import Tensor, nn
from transformers import PreTrainedModel

from mmf_cmsbert.checkpoints import model_folder
from mmf_cmsbert.config import shipped
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.targets import score_field
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.datasets.segment import FACE_VOICE, in_order
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.models.batch_fields import batch_fields
from mmf_cmsbert.modules import diagnostics
from mmf_cmsbert.modules.backbone import load_backbone, position_count
from mmf_cmsbert.modules.frame_scale import FrameScale
from mmf_cmsbert.modules.network import SentimentNetwork
from mmf_cmsbert.modules.network_output import NetworkOutput
from mmf_cmsbert.modules.optimizer_watch import after_each_update
from mmf_cmsbert.modules.sentiment_score import target_scores
from mmf_cmsbert.modules.shifts.registry import shift_named
from mmf_cmsbert.modules.temperature import Temperature
from mmf_cmsbert.modules.weight_average import WeightAverage

# Modality -> dataset -> width of its frames.
Widths = dict[str, dict[str, int]]


@registry.register_model("cmsbert")
class CMSBERT(BaseModel):
    """Context-driven modality shifting BERT with contrastive learning (Kim & Kim, IJCNN 2022).

    Reads the fields of this package's datasets from a ``SampleList``: ``input_ids``,
    ``input_mask``, ``word_index`` ``(batch, pieces)``, and for each modality ``<modality>
    (batch, frames, width)`` with ``<modality>_mask (batch, frames)``. For MMF's datasets see
    :func:`~mmf_cmsbert.models.batch_fields.batch_fields`.

    Returns ``scores``, those of the dataset's main target: ``(batch, 1)`` for a number such as the
    sentiment, logits ``(batch, classes)`` for classes and labels; ``scores_<name>``, those of each
    target; ``logits (batch, classes)`` with ``head.classes``; ``embeddings`` and
    ``embedding_masks``, modality -> ``(batch, dim)`` and ``(batch,)``; ``embedding_targets`` with
    ``contrastive.ema_targets``; ``temperature``, a scalar; and
    ``contrastive_pairs``.

    Args:
        config: ``model_config.cmsbert``; its keys are explained in its ``defaults.yaml``.

    Raises:
        ConfigError: a key is unknown, or the model does not support a value.
    """

    config_schema = CMSBERTConfig

    @classmethod
    def config_path(cls) -> str:
        return str(shipped.model_path("cmsbert"))

    @classmethod
    def from_pretrained(
        cls, model_name_or_path: str | Path, *args: Any, **kwargs: Any
    ) -> "CMSBERT":
        """The model that ``cmsbert export`` wrote, for MMF.

        Args:
            model_name_or_path: a folder, or ``OWNER/NAME`` on the Hugging Face hub. Any other name
                is looked for in MMF's zoo.
            *args: of MMF's zoo.
            **kwargs: of MMF's zoo.

        Raises:
            UserError: the model is not found, damaged, or of a newer version.
        """
        name = str(model_name_or_path)
        if "/" not in name and not Path(name).is_dir():
            return super().from_pretrained(name, *args, **kwargs)
        folder = model_folder.find(name)
        checkpoint = model_folder.as_checkpoint(folder)
        model = cls(OmegaConf.create(model_folder.to_build(model_folder.read_config(folder))))
        model.is_pretrained = True
        model.build()
        model.load_state_dict(checkpoint["model"])
        return model.eval()

    def build(self) -> None:
        config = self._settings()
        features = config.features or {}
        # Stored in the configuration, so that a saved model has its widths and targets.
        with open_dict(self.config):
            self.config.features = features
            if config.targets is not None:
                self.config.targets = config.plain()["targets"]
            self.config.losses = config.losses_of_targets()
        self.settings = config
        self.datasets = tuple(features)
        self.widths = _widths(features, in_order(config.used(features)))
        _check_names(config, features)
        context = config.shift.context
        shift = shift_named(context, "model_config.cmsbert.shift.context")
        if shift is not None and shift.needs_alignment:
            _check_aligned(self.widths, context)
        self.pairs = config.pairs(self.widths)
        self.classes = config.head.classes
        backbone = load_backbone(config.backbone.name, config.backbone.from_config)
        self.network = SentimentNetwork(backbone, self.widths, config)
        _check_vocabularies(self.datasets, self.network.backbone.config.vocab_size)
        _check_positions(self.datasets, self.network.backbone)
        self.backbone_rate = config.finetune_lr_multiplier
        if self.backbone_rate == 0:
            # Before the average is created, which shares frozen parameters.
            self.network.backbone.requires_grad_(False)
        _set_scales(self.network, self.widths)
        self.temperature = Temperature(
            config.contrastive.temperature,
            config.contrastive.learn_temperature,
            *config.contrastive.temperature_range,
        )
        self.ema: WeightAverage | None = None
        if config.ema.enabled:
            self.ema = WeightAverage(self.network, config.ema.decay, config.ema.warm_up)
            after_each_update(self, CMSBERT._average)
        self.ema_targets = config.contrastive.ema_targets

    def _settings(self) -> CMSBERTConfig:
        """Return the checked configuration, with the widths declared by the datasets in use."""
        given: Any = OmegaConf.to_container(OmegaConf.create(self.config), resolve=True)
        features = given.get("features") or _declared("features")
        if not features:
            raise ConfigError(
                "model_config.cmsbert.features is null and no dataset in use declares its features;"
                " type model_config.cmsbert.features={mosi: {visual: 47, acoustic: 74}}"
            )
        targets = given.get("targets") or _declared("targets")
        # null: sentiment in [-3, 3].
        targets = {name: targets.get(name) for name in features} if targets else None
        given |= {"features": features, "targets": targets}
        return read(CMSBERTConfig, given, "model_config.cmsbert")

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copy follows the updates of its own optimizer.
        super().__setstate__(state)
        if getattr(self, "ema", None) is not None:
            after_each_update(self, CMSBERT._average)

    def _average(self) -> None:
        if self.ema is not None:
            self.ema.update_parameters(self.network)

    def forward(self, sample_list: Any) -> dict[str, Any]:
        inputs = self._inputs(sample_list)
        network = self.network if self.ema is None or self.training else self.ema
        output: NetworkOutput = network(**inputs)
        scores = target_scores(output, self.settings, inputs["dataset"])
        result: dict[str, Any] = {
            "scores": next(iter(scores.values())),
            **{score_field(name): each for name, each in scores.items()},
            "embeddings": output.embeddings,
            "embedding_masks": output.present,
            "temperature": self.temperature(),
            "contrastive_pairs": self.pairs,
        }
        if self.classes:
            result["logits"] = output.logits
        if self.ema_targets and self.ema is not None and self.training:
            with torch.no_grad():
                result["embedding_targets"] = self.ema(**inputs).embeddings
        return result

    def _inputs(self, sample_list: Any) -> dict[str, Any]:
        dataset = sample_list["dataset_name"]
        if dataset not in self.datasets:
            raise ConfigError(
                f"the model was built for {', '.join(self.datasets)} and got a batch of {dataset}; "
                "add its widths to model_config.cmsbert.features"
            )
        modalities = [m for m, each in self.widths.items() if dataset in each]
        shift = self.network.shift
        by_word = shift is not None and shift.needs_alignment
        return batch_fields(sample_list, modalities, by_word) | {"dataset": dataset}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load all weights; ``strict`` is ignored, because MMF's trainer passes False.

        Raises:
            ConfigError: the weights belong to another model or to other settings.
        """
        if self.ema is not None and self._averaged_apart(state_dict):
            self.ema.unshare()
        try:
            return super().load_state_dict(state_dict, strict=True, assign=assign)
        except RuntimeError as error:
            problems = [line.strip() for line in str(error).splitlines()[1:]]
            raise ConfigError(
                "the checkpoint's weights do not fit this model: "
                f"{problems[0][:300] if problems else error}. Use the model_config and the "
                "datasets that it was trained with (config.yaml beside it), or another env.save_dir"
            ) from error

    @property
    def summary(self) -> str:
        """The model in a few words: backbone, shift and contrastive pairs."""
        config = self.network.backbone.config
        layers, width = (getattr(config, n, "?") for n in ("num_hidden_layers", "hidden_size"))
        shift, pairs = self.config.shift.context, ", ".join(map("-".join, self.pairs))
        return (
            f"{self.config.backbone.name} ({config.model_type}, {layers} layers of {width}), "
            f"shift by {shift}, contrastive {pairs or 'none'}"
        )

    @torch.no_grad()
    def diagnostics(self, report: Any) -> dict[str, float]:
        """Return numbers that show how training goes, for experiment trackers.

        Args:
            report: fields of a batch, and what :meth:`forward` returned for it.

        Returns:
            ``temperature``; ``alignment/<pair>/cosine`` and ``/match`` of the embeddings in
            ``report``; ``shift/total``, ``shift/<modality>`` and ``gate/<modality>`` of the network
            as it is now, without dropout. See :mod:`mmf_cmsbert.modules.diagnostics`.
        """
        found = {"temperature": self.temperature()}
        masks = report["embedding_masks"]
        aligned = diagnostics.alignment(report["embeddings"], masks, self.pairs)
        found |= {f"alignment/{name}": value for name, value in aligned.items()}
        inputs = self._inputs(report)
        training = self.network.training
        self.network.eval()  # so that no random number is drawn
        explanation = self.network.explain(**inputs)
        self.network.train(training)
        if explanation is not None:
            found |= diagnostics.shift_means(explanation, inputs["input_mask"], masks)
        return {name: float(value) for name, value in found.items()}

    @property
    def tensors_of_the_data(self) -> set[str]:
        """The names of tensors that come from the training data, not from another model."""
        scales = {
            f"network.frame_scales.{name}" for name, _ in self.network.frame_scales.named_buffers()
        }
        return scales | {name.replace("network.", "ema.module.", 1) for name in scales}

    def weights_replaced(self) -> None:
        """Restart the average at weights that were copied into the network."""
        if self.ema is not None:
            self.ema.begin_at(self.network)

    def _averaged_apart(self, state: Mapping[str, Tensor]) -> bool:
        """Return whether weights that are frozen here differ from their average."""
        for name, parameter in self.network.named_parameters():
            weight, average = (state.get(f"{k}.{name}") for k in ("network", "ema.module"))
            if parameter.requires_grad or weight is None or average is None:
                continue
            if not torch.equal(weight, average):
                return True
        return False

    def get_optimizer_parameters(self, config: Any) -> list[dict[str, Any]]:
        """Return parameter groups: no weight decay for biases and norms, the backbone's own rate.

        The decay is ``optimizer.params.weight_decay``. The averaged copy and a frozen backbone are
        in no group.
        """
        lr = config.optimizer.params.lr
        backbone_lr = lr * self.backbone_rate
        groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if name.startswith("ema.") or not parameter.requires_grad:
                continue
            rate = backbone_lr if name.startswith("network.backbone.") else lr
            groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
        return [
            {"params": parameters, "lr": rate} | ({} if decays else {"weight_decay": 0.0})
            for (rate, decays), parameters in groups.items()
        ]


def _declared(key: str) -> dict[str, Any]:
    """Return ``features`` or ``targets`` of the datasets in use that declare them, by dataset."""
    config = registry.get("config", no_warning=True)
    datasets = OmegaConf.select(config, "datasets") if config is not None else []
    names = datasets.split(",") if isinstance(datasets, str) else list(datasets or [])
    found = {n: OmegaConf.select(config, f"dataset_config.{n}.{key}") for n in names}
    return {
        name: OmegaConf.to_container(each, resolve=True)
        for name, each in found.items()
        if each is not None
    }


def _widths(features: Mapping[str, Mapping[str, int | None]], modalities: Sequence[str]) -> Widths:
    """Convert dataset -> modality -> width to modality -> dataset -> width, without empty ones."""
    return {
        m: {name: width for name, each in features.items() if (width := each.get(m))}
        for m in modalities
    }


def _check_names(config: CMSBERTConfig, features: Mapping[str, Mapping[str, int | None]]) -> None:
    """Raise a ConfigError for a modality that no dataset has."""
    key, declared = "model_config.cmsbert", {m for each in features.values() for m in each}
    known = {"text", *FACE_VOICE, *declared}
    pairs = config.contrastive.pairs or []
    for name, given in {
        "modalities": config.modalities or [],
        "contrastive.pairs": [modality for pair in pairs for modality in pair],
    }.items():
        if unknown := [modality for modality in given if modality not in known]:
            raise ConfigError(
                f"{key}.{name} names {unknown[0]!r}, which no dataset in use declares in its "
                f"features; expected some of {', '.join(['text', *in_order(declared)])}"
            )


def _check_aligned(widths: Widths, context: str) -> None:
    """Raise a ConfigError if a dataset in use does not have one frame per word."""
    for name in sorted({dataset for each in widths.values() for dataset in each}):
        for split, found in (registry.get(f"{name}_unaligned", no_warning=True) or {}).items():
            if found:
                raise ConfigError(
                    f"model_config.cmsbert.shift.context is {context}, which needs one frame a "
                    f"word, but in the {split} split of {name} {found}. Type "
                    "model_config.cmsbert.shift.context=utterance, or name word-aligned files; for "
                    "utterance-level features, one frame a segment, type "
                    f"dataset_config.{name}.single_frame=every_word"
                )


def _set_scales(network: SentimentNetwork, widths: Widths) -> None:
    """Set the statistics of the training split; those of a checkpoint replace them later."""
    for modality, each in widths.items():
        for name in each:
            statistics = registry.get(f"{name}_statistics", no_warning=True) or {}
            if modality in statistics:
                mean, scale = map(torch.from_numpy, statistics[modality])
                cast(FrameScale, network.frame_scales[modality]).set(name, mean, scale)


def _check_vocabularies(datasets: Sequence[str], size: int) -> None:
    """Raise a ConfigError if a dataset's tokenizer has more word pieces than the backbone."""
    for name in datasets:
        processor = registry.get(f"{name}_word_processor", no_warning=True)
        pieces = getattr(processor, "vocabulary_size", 0)
        if pieces > size:
            raise ConfigError(
                f"the tokenizer of dataset {name} has {pieces} word pieces and the backbone "
                f"{size}; dataset_config.{name}.processors.word_processor.params.tokenizer should "
                "be the backbone's own, model_config.cmsbert.backbone.name"
            )


def _check_positions(datasets: Sequence[str], backbone: PreTrainedModel) -> None:
    """Raise a ConfigError if segments may be longer than the backbone's positions."""
    most = position_count(backbone)
    for name in datasets:
        processor = registry.get(f"{name}_word_processor", no_warning=True)
        length = getattr(processor, "max_seq_length", 0)
        if most is not None and length > most:
            key = f"dataset_config.{name}.processors.word_processor.params.max_seq_length"
            raise ConfigError(
                f"{key} is {length}, and the backbone has positions for {most} word pieces; type "
                f"{key}={most}, or name another model_config.cmsbert.backbone.name"
            )
