"""MLflow: a run on the server that ``MLFLOW_TRACKING_URI`` names, or in the run's folder."""

import os
import shlex
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from mmf_cmsbert.trackers.tracker import TrackedRun

# Limits of MLflow's servers.
_LONGEST, _MOST = 500, 100
_EXPERIMENT = "mmf_cmsbert"


class MLflow:
    """Logs to a run of MLflow, in the experiment ``MLFLOW_EXPERIMENT_NAME`` or ``mmf_cmsbert``.

    Without ``MLFLOW_TRACKING_URI`` it is kept in ``mlruns`` in the run's folder.

    Args:
        run: the run.
    """

    def __init__(self, run: TrackedRun):
        server = os.environ.get("MLFLOW_TRACKING_URI")
        uri = server or (run.folder / "mlruns").absolute().as_uri()
        if not server:
            # MLflow 3 prefers a database, which mlflow-skinny lacks, and asks for this consent.
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        self._client = MlflowClient(uri)
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
        experiment = self._client.get_experiment_by_name(name)
        key = experiment.experiment_id if experiment else self._client.create_experiment(name)
        self._run = self._client.create_run(key, run_name=run.name).info.run_id
        parameters = [Param(k, v[:_LONGEST]) for k, v in _flat(run.config)]
        for first in range(0, len(parameters), _MOST):
            part = parameters[first : first + _MOST]
            self._client.log_batch(self._run, params=part)
        self.view = server or f"mlflow ui --backend-store-uri {shlex.quote(uri)}"

    def log(self, values: Mapping[str, float], update: int) -> None:
        """Record values, tag -> value, of an update."""
        now = int(time.time() * 1000)
        metrics = [Metric(tag, value, now, update) for tag, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def log_file(self, file: Path) -> None:
        """Keep a copy of a file among the run's artifacts."""
        self._client.log_artifact(self._run, str(file))

    def close(self, finished: bool) -> None:
        """End the run."""
        self._client.set_terminated(self._run, "FINISHED" if finished else "FAILED")


def _flat(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping) and node:
        for name, value in node.items():
            yield from _flat(value, f"{key}.{name}" if key else str(name))
    elif key:
        yield key, str(node)
