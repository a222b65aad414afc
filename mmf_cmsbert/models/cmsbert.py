"""CMSBERT-CLR as an MMF model: a thin adapter around the network of ``modules``."""

from collections.abc import Mapping, Sequence

import torch
from mmf.common.registry import registry
from mmf.models.base_model import BaseModel
from omegaconf import OmegaConf, open_dict
from torch import Tensor

from mmf_cmsbert.config_check import check_keys
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.models.batch_fields import batch_fields
from mmf_cmsbert.modules.backbone import load_backbone, position_count
from mmf_cmsbert.modules.network import CMSBert
from mmf_cmsbert.modules.optimizer_watch import after_each_update
from mmf_cmsbert.modules.settings import NetworkSettings, is_number
from mmf_cmsbert.modules.shifts.registry import shift_named
from mmf_cmsbert.modules.temperature import Temperature
from mmf_cmsbert.modules.weight_average import WeightAverage
from mmf_cmsbert.paths import PACKAGE

NONVERBAL = ("visual", "acoustic")
DEFAULTS = PACKAGE / "configs" / "models" / "cmsbert" / "defaults.yaml"
# MMF itself puts these two beside the model's own keys.
_MMF_KEYS = ("model", "zoo_requirements")


@registry.register_model("cmsbert")
class CMSBERT(BaseModel):
    """Context-driven modality shifting BERT with contrastive learning (Kim & Kim, IJCNN 2022).

    Reads from a ``SampleList`` the fields that the datasets ``mosi`` and ``mosei`` give:
    ``input_ids``, ``input_mask``, ``word_index`` ``(batch, pieces)`` and for visual and acoustic
    ``<modality> (batch, frames, width)`` with ``<modality>_mask (batch, frames)``; of MMF's own
    datasets what :func:`~mmf_cmsbert.models.batch_fields.batch_fields` says.

    Gives ``scores (batch, 1)``, the sentiment; ``logits (batch, classes)`` where the head
    classifies; ``embeddings`` and ``embedding_masks``, modality -> ``(batch, dim)`` and
    ``(batch,)``; ``embedding_targets`` with ``contrastive.ema_targets``; ``temperature``, a scalar;
    and ``contrastive_pairs``.

    Args:
        config: ``model_config.cmsbert``; its keys are explained in its ``defaults.yaml``.

    Raises:
        ConfigError: an unknown key, or a value that the model cannot follow.
    """

    @classmethod
    def config_path(cls) -> str:
        return str(DEFAULTS)

    def build(self) -> None:
        given = _complete(self.config)
        nonverbal = _nonverbal(given["modalities"])
        features = _features(given["features"] or _declared_features())
        # Kept with the configuration, so that a saved model knows what it was built for.
        with open_dict(self.config):
            self.config.features = features
        self.datasets = tuple(features)
        self.widths = _widths(features, nonverbal)
        context = given["shift"]["context"]
        shift = shift_named(context, "model_config.cmsbert.shift.context")
        if shift is not None and shift.needs_alignment:
            _check_aligned(self.widths, context)
        contrastive, ema = given["contrastive"], given["ema"]
        self.pairs = _pairs(contrastive["pairs"], ("text", *self.widths))
        self.classes = given["head"]["classes"]
        _check_losses(given["losses"], self.classes)
        self.network = CMSBert(
            load_backbone(given["backbone"]["name"], given["backbone"]["from_config"]),
            self.widths,
            _settings(given),
        )
        _check_vocabularies(self.datasets, self.network.backbone.config.vocab_size)
        _check_positions(self.datasets, self.network.backbone)
        self.backbone_rate = _backbone_rate(given["finetune_lr_multiplier"])
        if self.backbone_rate == 0:
            # Before the average is made, which shares what is frozen.
            self.network.backbone.requires_grad_(False)
        _set_scales(self.network, self.widths)
        self.temperature = Temperature(
            contrastive["temperature"],
            _switch(contrastive["learn_temperature"], "contrastive.learn_temperature"),
            *_range(contrastive["temperature_range"]),
        )
        self.ema = None
        if _switch(ema["enabled"], "ema.enabled"):
            warm_up = _switch(ema["warm_up"], "ema.warm_up")
            self.ema = WeightAverage(self.network, ema["decay"], warm_up)
            after_each_update(self, CMSBERT._average)
        self.ema_targets = _switch(contrastive["ema_targets"], "contrastive.ema_targets")
        if self.ema_targets and self.ema is None:
            raise ConfigError(
                "model_config.cmsbert.contrastive.ema_targets is true but ema.enabled is false; "
                "type model_config.cmsbert.ema.enabled=true"
            )

    def __setstate__(self, state: dict) -> None:
        # A copy has updates of its own to follow.
        super().__setstate__(state)
        if getattr(self, "ema", None) is not None:
            after_each_update(self, CMSBERT._average)

    def _average(self) -> None:
        self.ema.update_parameters(self.network)

    def forward(self, sample_list) -> dict:
        inputs = self._inputs(sample_list)
        averaged = self.ema is not None and not self.training
        output = (self.ema if averaged else self.network)(**inputs)
        result = {
            "scores": self._sentiment(output.logits),
            "embeddings": output.embeddings,
            "embedding_masks": output.present,
            "temperature": self.temperature(),
            "contrastive_pairs": self.pairs,
        }
        if self.classes:
            result["logits"] = output.logits
        if self.ema_targets and self.training:
            with torch.no_grad():
                result["embedding_targets"] = self.ema(**inputs).embeddings
        return result

    def _inputs(self, sample_list) -> dict:
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

    def _sentiment(self, logits: Tensor) -> Tensor:
        """The sentiment ``(batch, 1)`` that the head's output stands for.

        Seven classes stand for -3 to 3: the likeliest one. Two stand for negative and not: the
        difference of their probabilities, whose sign is the class (its size is no sentiment).
        """
        if not self.classes:
            return logits
        if self.classes == 2:
            probability = logits.softmax(-1)
            return probability[:, 1:] - probability[:, :1]
        return (logits.argmax(-1, keepdim=True) - self.classes // 2).to(logits.dtype)

    def load_state_dict(self, state_dict, strict: bool = True, assign: bool = False):
        """Load weights, all of them whatever ``strict`` says: MMF's trainer asks for less.

        Raises:
            ConfigError: the weights are those of another model or of other settings.
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
    def tensors_of_the_data(self) -> set[str]:
        """Names of state that comes from the training data and not from another model."""
        scales = {
            f"network.frame_scales.{name}" for name, _ in self.network.frame_scales.named_buffers()
        }
        return scales | {name.replace("network.", "ema.module.", 1) for name in scales}

    def weights_replaced(self) -> None:
        """Let the average begin anew at weights that were copied into the network."""
        if self.ema is not None:
            self.ema.begin_at(self.network)

    def _averaged_apart(self, state: Mapping[str, Tensor]) -> bool:
        """Whether weights that are frozen here differ from their average: they were trained."""
        for name, parameter in self.network.named_parameters():
            weight, average = (state.get(f"{k}.{name}") for k in ("network", "ema.module"))
            if parameter.requires_grad or weight is None or average is None:
                continue
            if not torch.equal(weight, average):
                return True
        return False

    def get_optimizer_parameters(self, config) -> list[dict]:
        """Parameter groups: no weight decay for biases and norms, the backbone's own learning rate.

        The decay itself is ``optimizer.params.weight_decay``. The averaged copy is in no group, and
        neither is a frozen backbone.
        """
        lr = config.optimizer.params.lr
        backbone_lr = lr * self.backbone_rate
        groups: dict[tuple[float, bool], list] = {}
        for name, parameter in self.named_parameters():
            if name.startswith("ema.") or not parameter.requires_grad:
                continue
            rate = backbone_lr if name.startswith("network.backbone.") else lr
            groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
        return [
            {"params": parameters, "lr": rate} | ({} if decays else {"weight_decay": 0.0})
            for (rate, decays), parameters in groups.items()
        ]


def _complete(config) -> dict:
    """The model's configuration, checked for unknown keys, defaults filled in."""
    given = OmegaConf.to_container(OmegaConf.create(config), resolve=True)
    given = {key: value for key, value in given.items() if key not in _MMF_KEYS}
    known = OmegaConf.to_container(OmegaConf.load(DEFAULTS))["model_config"]["cmsbert"]
    free = ("features", "losses", "backbone.from_config")
    check_keys(given, known, "model_config.cmsbert", free=free)
    return OmegaConf.to_container(OmegaConf.merge(known, given))


def _nonverbal(modalities) -> tuple[str, ...]:
    """The modalities besides text that are switched on."""
    names = modalities.split(",") if isinstance(modalities, str) else modalities
    known = ("text", *NONVERBAL)
    if not isinstance(names, list) or not names or any(name not in known for name in names):
        raise ConfigError(
            f"model_config.cmsbert.modalities is {modalities}; expected some of "
            f"[text, {', '.join(NONVERBAL)}]"
        )
    return tuple(m for m in NONVERBAL if m in names)


def _declared_features() -> dict:
    """Widths that the datasets in use declare, dataset -> modality -> width."""
    config = registry.get("config", no_warning=True)
    datasets = config.datasets if config is not None else []
    names = datasets.split(",") if isinstance(datasets, str) else list(datasets or [])
    features = {n: OmegaConf.select(config, f"dataset_config.{n}.features") for n in names}
    return {n: OmegaConf.to_container(each, resolve=True) for n, each in features.items() if each}


def _features(features: Mapping) -> dict[str, dict[str, int | None]]:
    """Dataset -> modality -> width, checked."""
    if not isinstance(features, Mapping) or not all(
        isinstance(each, Mapping)
        and set(each) <= set(NONVERBAL)
        and all(width is None or (type(width) is int and width >= 0) for width in each.values())
        for each in features.values()
    ):
        raise ConfigError(
            f"model_config.cmsbert.features is {features}; expected the width of each dataset's "
            "frames, as in {mosi: {visual: 47, acoustic: 74}}"
        )
    if not features:
        raise ConfigError(
            "model_config.cmsbert.features is null and no dataset in use declares its features; "
            "type model_config.cmsbert.features={mosi: {visual: 47, acoustic: 74}}"
        )
    return {name: dict(each) for name, each in features.items()}


def _widths(features: Mapping, modalities: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """From dataset -> modality -> width to modality -> dataset -> width, empty ones left out."""
    widths = {
        m: {name: each[m] for name, each in features.items() if each.get(m)} for m in modalities
    }
    return {m: each for m, each in widths.items() if each}


def _check_aligned(widths: Mapping, context: str) -> None:
    """Raise where a dataset in use found itself not to have one frame a word."""
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


def _set_scales(network: CMSBert, widths: Mapping) -> None:
    """Take the training split's statistics that a dataset gives; a checkpoint's replace them."""
    for modality, each in widths.items():
        for name in each:
            statistics = registry.get(f"{name}_statistics", no_warning=True) or {}
            if modality in statistics:
                mean, scale = map(torch.from_numpy, statistics[modality])
                network.frame_scales[modality].set(name, mean, scale)


def _pairs(pairs, modalities: tuple[str, ...]) -> list[list[str]]:
    """The pairs whose two modalities are in use; one that is switched off leaves its pairs."""
    known = ("text", *NONVERBAL)
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        two = isinstance(pair, list) and len(pair) == 2 and pair[0] != pair[1]
        if not two or any(name not in known for name in pair):
            raise ConfigError(
                f"model_config.cmsbert.contrastive.pairs holds {pair}; expected two different ones "
                f"of {', '.join(known)}, as in [[text, visual], [text, acoustic]], or [] for none"
            )
    return [list(pair) for pair in pairs if set(pair) <= set(modalities)]


def _check_losses(losses, classes: int | None) -> None:
    """Raise unless the losses are a list, and train the head that there is."""
    if not isinstance(losses, list):
        raise ConfigError(f"model_config.cmsbert.losses is {losses!r}; expected a list of losses")
    types = [loss.get("type") if isinstance(loss, Mapping) else loss for loss in losses]
    fitting, other = "sentiment_regression", "sentiment_classification"
    if classes:
        fitting, other = other, fitting
    if other in types:
        raise ConfigError(
            f"model_config.cmsbert.head.classes is {classes}, which {other} cannot train; type "
            f'"model_config.cmsbert.losses=[{{type: {fitting}}}, {{type: multimodal_contrastive}}]"'
        )


def _check_vocabularies(datasets: Sequence[str], size: int) -> None:
    """Raise where a dataset's words are cut into word pieces that the backbone does not have."""
    for name in datasets:
        processor = registry.get(f"{name}_word_processor", no_warning=True)
        pieces = getattr(processor, "vocabulary_size", 0)
        if pieces > size:
            raise ConfigError(
                f"the tokenizer of dataset {name} has {pieces} word pieces and the backbone "
                f"{size}; dataset_config.{name}.processors.word_processor.params.tokenizer should "
                "be the backbone's own, model_config.cmsbert.backbone.name"
            )


def _check_positions(datasets: Sequence[str], backbone) -> None:
    """Raise where segments may be longer than the backbone has positions for."""
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


def _backbone_rate(multiplier) -> float:
    if not is_number(multiplier) or multiplier < 0:
        raise ConfigError(
            f"model_config.cmsbert.finetune_lr_multiplier is {multiplier!r}; expected a number, at "
            "least 0, which freezes the backbone"
        )
    return multiplier


def _switch(value, key: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"model_config.cmsbert.{key} is {value!r}; expected true or false")
    return value


def _range(value) -> list:
    if not isinstance(value, list) or len(value) != 2:
        raise ConfigError(
            f"model_config.cmsbert.contrastive.temperature_range is {value!r}; expected two "
            "numbers, as in [0.01, 0.5]"
        )
    return value


def _settings(given: Mapping) -> NetworkSettings:
    shift, frames, contrastive = given["shift"], given["frames"], given["contrastive"]
    return NetworkSettings(
        shift_context=shift["context"],
        shift_layer=shift["layer"],
        shift_beta=shift["beta"],
        shift_dropout=shift["dropout"],
        shift_gate=shift["gate"],
        shift_start=shift["start"],
        pooling=given["backbone"]["pooling"],
        length_groups=given["backbone"]["length_groups"],
        frame_dim=frames["dim"],
        frame_layers=frames["layers"],
        frame_heads=frames["heads"],
        frame_dropout=frames["dropout"],
        head_dropout=given["head"]["dropout"],
        classes=given["head"]["classes"],
        embed_dim=contrastive["dim"],
        text_state=contrastive["text_state"],
    )
