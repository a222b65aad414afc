"""Configurations of a network, by short names of their keys."""

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig

_KEYS = {
    "shift_context": "shift.context",
    "shift_layer": "shift.layer",
    "shift_beta": "shift.beta",
    "shift_dropout": "shift.dropout",
    "shift_gate": "shift.gate",
    "shift_start": "shift.start",
    "pooling": "backbone.pooling",
    "length_groups": "backbone.length_groups",
    "frame_dim": "frames.dim",
    "frame_layers": "frames.layers",
    "frame_heads": "frames.heads",
    "frame_dropout": "frames.dropout",
    "head_dropout": "head.dropout",
    "classes": "head.classes",
    "embed_dim": "contrastive.dim",
    "text_state": "contrastive.text_state",
}


def network_config(**changes):
    """Return ``model_config.cmsbert`` with some keys changed."""
    given = {}
    for name, value in changes.items():
        section, key = _KEYS[name].split(".")
        given.setdefault(section, {})[key] = value
    if "classes" in changes:  # not trained by the default losses
        given["losses"] = []
    return CMSBERTConfig.model_validate(given)
