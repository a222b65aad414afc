"""Recognises the folder of an exported model, without the imports that reading it needs."""

from pathlib import Path

from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import read_json

CONFIG = "config.json"
LIBRARY = "mmf_cmsbert"
OF_RUN = "model"  # the folder of a finished run's model, in the run's folder
LARGEST_CONFIG = 1 << 24


def is_model(folder: Path) -> bool:
    """Whether a folder contains an exported model of any version of this package."""
    try:
        given = read_json(folder / CONFIG, LARGEST_CONFIG)
    except (OSError, ValueError, UserError):
        return False
    return isinstance(given, dict) and given.get("library_name") == LIBRARY
