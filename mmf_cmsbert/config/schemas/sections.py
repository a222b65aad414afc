"""The sections of the configuration and their schemas."""

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.corpora import DATASETS
from mmf_cmsbert.config.schemas.losses import LOSSES
from mmf_cmsbert.config.schemas.processors import PROCESSORS
from mmf_cmsbert.config.schemas.section import Section
from mmf_cmsbert.config.schemas.training import OF_MMF

MODELS: dict[str, type[Section]] = {"cmsbert": CMSBERTConfig}
# Key -> schema. losses.<type> and processors.<type> are the params of an entry of that type.
SECTIONS: dict[str, type[Section]] = {
    **{f"model_config.{name}": schema for name, schema in MODELS.items()},
    **{f"dataset_config.{name}": schema for name, schema in DATASETS.items()},
    **{f"losses.{name}": schema for name, schema in LOSSES.items()},
    **{f"processors.{name}": schema for name, schema in PROCESSORS.items()},
    **OF_MMF,
}
