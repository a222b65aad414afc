"""Read the network's input from a batch of our datasets, or of MMF's."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmf_cmsbert.errors import ConfigError


def batch_fields(
    sample_list: Any, modalities: Sequence[str], by_word: bool = False
) -> dict[str, Any]:
    """Return the arguments of the network's ``forward``, except the dataset.

    MMF's datasets have ``input_ids`` and ``input_mask`` if their text processor is
    ``bert_tokenizer``, but not the word of each piece. Their ``image_feature_0``, the regions of an
    image, is used as visual frames if the batch has none (our interpretation).

    Args:
        sample_list: a prepared batch.
        modalities: the modalities to read.
        by_word: whether the word of each piece, and so of each frame, is needed.

    Raises:
        ConfigError: the batch lacks a field that has no substitute.
    """
    for name in ("input_ids", "input_mask"):
        if name not in sample_list:
            raise _lacking(
                sample_list,
                name,
                "let its text_processor be MMF's bert_tokenizer, with the backbone's tokenizer",
            )
    if by_word and modalities and "word_index" not in sample_list:
        advice = "type model_config.cmsbert.shift.context=utterance"
        raise _lacking(sample_list, "word_index", advice)
    pieces = sample_list["input_ids"]
    frames = {m: _frames(sample_list, m) for m in modalities}
    return {
        "input_ids": pieces,
        "input_mask": sample_list["input_mask"],
        "word_index": sample_list.get("word_index", torch.full_like(pieces, -1)),
        "frames": {m: each for m, (each, _) in frames.items()},
        "frame_masks": {m: mask for m, (_, mask) in frames.items()},
    }


def _frames(sample_list: Any, modality: str) -> tuple[Tensor, Tensor]:
    if modality in sample_list:
        return sample_list[modality], sample_list[f"{modality}_mask"]
    if modality != "visual" or "image_feature_0" not in sample_list:
        raise _lacking(
            sample_list,
            modality,
            f"leave {modality} out of model_config.cmsbert.features.{sample_list['dataset_name']}",
        )
    regions = sample_list["image_feature_0"]
    positions = torch.arange(regions.shape[1], device=regions.device)
    info = sample_list.get("image_info_0")
    # Without this optional info, no region counts as padding.
    count = getattr(info, "max_features", torch.full((len(regions),), len(positions)))
    return regions, positions < count[:, None].to(regions.device)


def _lacking(sample_list: Any, name: str, advice: str) -> ConfigError:
    fields = ", ".join(map(str, sample_list))
    return ConfigError(
        f"model cmsbert needs {name} from dataset {sample_list['dataset_name']}, whose batches "
        f"have {fields}; {advice}"
    )
