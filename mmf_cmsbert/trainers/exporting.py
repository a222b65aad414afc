"""Export the model of a finished run to ``RUN/model``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from mmf_cmsbert.checkpoints import model_files
from mmf_cmsbert.checkpoints.model_folder import network_weights
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.predictor import saving
from mmf_cmsbert.predictor.trained_model import MODEL, model_config, training_of
from mmf_cmsbert.processors.word_pieces import load_tokenizer
from mmf_cmsbert.records.run_record import RunRecord
from mmf_cmsbert.utils.environment import with_values, without_values


class ExportsModel(TrainerSteps):
    """Exports the model of a finished run that keeps a record, with ``checkpoint.export``.

    The exported weights are the scored ones: the best weights, averaged if the run has an average.
    Only CMSBERT is exported. Requires ``run_record``.
    """

    run_record: RunRecord | None

    def train(self) -> None:
        super().train()
        if self.run_record is None or not self.config.checkpoint.export:
            return
        config = with_values(without_values(self.config))
        if config["model"] != MODEL:
            return
        folder = Path(config["env"]["save_dir"])
        model = getattr(self.model, "module", self.model)
        weights = {name: each.cpu() for name, each in network_weights(model.state_dict()).items()}
        with _warned("its model was not exported", f"; type cmsbert export {folder} FOLDER"):
            self.checkpoint.before_export(weights)
            _export(folder / model_files.OF_RUN, model, weights, config, self.run_record.content)
            with _warned("its checkpoints keep what its model holds, too"):
                self.checkpoint.exported(weights)


@contextmanager
def _warned(what: str, advice: str = "") -> Iterator[None]:
    """Turn an error into a warning: the run is finished, and its scores stay."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        mmf_log.write(f"The run is finished; {what}: {reason}{advice}", "warning")


def _export(
    folder: Path,
    model: Any,
    weights: dict[str, Tensor],
    config: dict[str, Any],
    record: dict[str, Any],
) -> None:
    backbone = model.network.backbone.config.to_dict()
    training = training_of(record, of_best=True)
    exported = model_config(config, training, backbone, model.temperature().item())
    tokenizer = load_tokenizer(exported.tokenizer, "tokenizer")
    name = folder.absolute().parent.name
    saving.save(folder, exported, weights, tokenizer, overwrite=True, name=name)
