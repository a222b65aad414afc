"""Loading of the BERT of stock models, from a folder, the cache or the hub."""

from types import MethodType
from typing import Any

from mmf.models.vilbert import ViLBERTBase
from mmf.models.visual_bert import VisualBERTBase
from mmf.modules import encoders
from mmf.modules.encoders import TransformerEncoder
from omegaconf import OmegaConf
from torch import nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.pretrained import load_pretrained, weights_in_memory

_TEXT_ENCODER = "text_encoder.params.bert_model_name"


@patch(
    "mmf.models.{visual_bert,vilbert}.from_pretrained",
    why="Relative folders are only found in the working folder, MMF's cache is used instead of "
    "Hugging Face's, a missing BERT ends in a traceback, and vilbert loads one even if "
    "bert_model_name is null.",
    remove_when="MMF passes the name to transformers unchanged.",
)
def load_bert() -> None:
    for model, name in ((VisualBERTBase, "visual_bert"), (ViLBERTBase, "vilbert")):
        key = f"model_config.{name}.bert_model_name"
        model.from_pretrained = classmethod(_from_pretrained(model.from_pretrained, key))


@patch(
    "mmf.modules.encoders.TransformerEncoder",
    why="It passes unresolved ${...} values to transformers, expects outputs as tuples, which are "
    "no longer the default, and in rc10 has no random_init.",
    remove_when="MMF resolves its params and reads the outputs by name.",
)
def build_text_encoder() -> None:
    TransformerEncoder._build_encoder_config = _encoder_config
    if hasattr(encoders, "BertModelJit"):  # main, whose constructor uses one of these
        for made in (encoders.AutoModel, encoders.BertModelJit):
            load: Any = classmethod(_from_pretrained(made.from_pretrained, _TEXT_ENCODER))
            explained = type(made.__name__, (made,), {"from_pretrained": load})
            setattr(encoders, made.__name__, explained)
    else:
        TransformerEncoder.__init__ = _build_text_encoder


def _from_pretrained(original: Any, key: str) -> Any:
    def from_pretrained(
        cls: type[PreTrainedModel],
        name: str | None,
        *args: Any,
        cache_dir: Any = None,
        **kwargs: Any,
    ) -> PreTrainedModel:
        if name is None:
            return cls(*args, **kwargs)
        load = weights_in_memory(MethodType(original.__func__, cls))
        return load_pretrained(load, name, "BERT", key, **kwargs)

    return from_pretrained


def _encoder_config(self: TransformerEncoder, config: Any) -> PretrainedConfig:
    resolved: Any = OmegaConf.to_container(config, resolve=True)
    params = resolved | {"return_dict": False}
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
            weights_in_memory(AutoModel.from_pretrained),
            config.bert_model_name,
            "BERT",
            _TEXT_ENCODER,
            config=described,
        )
    self.embeddings = self.module.embeddings
    self.config = self.module.config
