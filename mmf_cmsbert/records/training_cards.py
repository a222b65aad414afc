"""The extractors of the frames that a model was trained on."""

from pathlib import Path
from typing import Any

from mmf_cmsbert.checkpoints import model_files, model_folder
from mmf_cmsbert.records import record


def of_weights(file: Path) -> dict[str, dict[str, Any]]:
    """Return the cards of the training data: dataset -> card; empty if they are unknown.

    Args:
        file: a checkpoint in a run's folder, or the folder of an exported model.
    """
    if model_files.is_model(file):
        training = model_folder.read_config(file).training
    else:  # checkpoints are in the run's folder, snapshots in RUN/models
        training = record.find(file.parent) or record.find(file.parent.parent) or {}
    found = training.get("extractors")
    return found if isinstance(found, dict) else {}
