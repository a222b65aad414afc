"""Where MMF's own models get their BERT from: a folder, the cache, the hub, or random weights.

In both lines a relative folder is looked up in the working folder alone, and a cache of MMF's own
takes the place of Hugging Face's, so that what the user has is asked of the hub again. A BERT that
cannot be had ends in a traceback. vilbert asks for one even where `bert_model_name` is null, for
which its own initialisation is written. A text encoder takes the sizes in its params as they stand
in the YAML, `${...}` and all, and main's models expect tuples from it, which the library gives on
request alone. In 1.0.0rc10 it has no `random_init`, which main's has.
"""

from types import MethodType
from typing import Any

from mmf.models.vilbert import ViLBERTBase
from mmf.models.visual_bert import VisualBERTBase
from mmf.modules import encoders
from mmf.modules.encoders import TransformerEncoder
from omegaconf import OmegaConf
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from mmf_cmsbert.pretrained import load_pretrained

_TEXT_ENCODER = "text_encoder.params.bert_model_name"


def apply() -> None:
    """Mend visual_bert and vilbert, and the text encoder of the models that choose one."""
    for model, name in ((VisualBERTBase, "visual_bert"), (ViLBERTBase, "vilbert")):
        key = f"model_config.{name}.bert_model_name"
        model.from_pretrained = classmethod(_from_pretrained(model.from_pretrained, key))
    TransformerEncoder._build_encoder_config = _encoder_config
    if hasattr(encoders, "BertModelJit"):  # main, whose own constructor takes one of these
        for made in (encoders.AutoModel, encoders.BertModelJit):
            load = classmethod(_from_pretrained(made.from_pretrained, _TEXT_ENCODER))
            explained = type(made.__name__, (made,), {"from_pretrained": load})
            setattr(encoders, made.__name__, explained)
    else:
        TransformerEncoder.__init__ = _build_text_encoder


def _from_pretrained(original: Any, key: str) -> Any:
    def from_pretrained(
        cls: type[PreTrainedModel], name: str | None, *args: Any, cache_dir: Any = None, **kwargs
    ) -> PreTrainedModel:
        if name is None:
            return cls(*args, **kwargs)
        load = MethodType(original.__func__, cls)
        return load_pretrained(load, name, "BERT", key, **kwargs)

    return from_pretrained


def _encoder_config(self: TransformerEncoder, config: Any) -> PretrainedConfig:
    params = OmegaConf.to_container(config, resolve=True) | {"return_dict": False}
    return load_pretrained(
        AutoConfig.from_pretrained, params["bert_model_name"], "BERT", _TEXT_ENCODER, **params
    )


def _build_text_encoder(self: TransformerEncoder, config: Any, *args: Any, **kwargs: Any) -> None:
    nn.Module.__init__(self)
    described = self._build_encoder_config(config)
    if config.get("random_init"):
        self.module = AutoModel.from_config(described)
    else:
        self.module = load_pretrained(
            AutoModel.from_pretrained,
            config.bert_model_name,
            "BERT",
            _TEXT_ENCODER,
            config=described,
        )
    self.embeddings = self.module.embeddings
    self.config = self.module.config
