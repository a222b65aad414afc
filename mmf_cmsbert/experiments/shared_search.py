"""A search that several workers make together, through a database or a journal file.

Each worker types the same ``cmsbert tune``. Which settings are drawn depends on the order in which
trials end, so the search is not repeatable, unlike that of one worker.
"""

import hashlib
import importlib.util
import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import numpy as np

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.search import TrialFailed
from mmf_cmsbert.experiments.space import Dimension
from mmf_cmsbert.utils.processes import is_running, start_time

# Seconds between two signs of life of a worker. After four without one it counts as dead.
HEARTBEAT = 30
_DEAD_AFTER = 4
# A trial is taken up again this often after its worker died.
_TIMES = 3
_ATTEMPTS = 3  # to open a database
_POSTGRES = "postgresql"

Report = Callable[[int, float], None]
Evaluate = Callable[[int, Mapping[str, Any], Report | None], float]


def open_shared(
    storage: str,
    name: str,
    minimize: bool,
    made_with: Mapping[str, Any],
    heartbeat: int = HEARTBEAT,
) -> Any:
    """Create a study that workers share, or open an existing one.

    Args:
        storage: the URL of a database, or the path of a journal file.
        name: the study's name, to which a hash of ``made_with`` is added: other settings make
            another study.
        minimize: whether lower is better.
        made_with: settings that must be equal for all trials.
        heartbeat: seconds between two signs of life, for databases.

    Raises:
        ConfigError: Optuna or the database's driver is not installed, or the storage cannot be
            opened.
    """
    try:
        import optuna
        from optuna.storages import JournalStorage, RDBStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError as error:
        raise ConfigError(
            "Optuna is not installed; type pip install 'mmf_cmsbert[experiments]'"
        ) from error
    # Its warnings are tracebacks of failed trials, which the display reports in one line.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    digest = hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()[:8]
    direction: Literal["minimize", "maximize"] = "minimize" if minimize else "maximize"
    # Heartbeats have been experimental for years.
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    for attempt in range(_ATTEMPTS):
        try:
            backend = (
                RDBStorage(
                    _url(storage),
                    heartbeat_interval=heartbeat,
                    grace_period=_DEAD_AFTER * heartbeat,
                    heartbeat_stale_trial_callback=_taken_up,
                )
                if "://" in storage
                else JournalStorage(JournalFileBackend(storage))
            )
            study = optuna.create_study(
                storage=backend,
                study_name=f"{name}-{digest}",
                direction=direction,
                load_if_exists=True,
            )
            study.set_user_attr("made_with", json.dumps(made_with, sort_keys=True))
            return study
        except ConfigError:
            raise
        except Exception as error:  # the drivers' errors have no common class
            if attempt + 1 < _ATTEMPTS and "://" in storage:
                time.sleep(1)  # another worker may just be creating the tables
                continue
            reason = " ".join(str(error).split())
            raise ConfigError(
                f"--storage {_shown(storage)} cannot be opened ({reason[:300]}); expected the URL "
                "of a database, as in postgresql://USER@HOST/NAME, or the path of a journal file"
            ) from error


def _url(storage: str) -> str:
    """Name a driver of PostgreSQL that is installed."""
    scheme, rest = storage.split("://", 1)
    if scheme != _POSTGRES:
        return storage
    for driver in ("psycopg", "psycopg2"):
        if importlib.util.find_spec(driver):
            return f"{_POSTGRES}+{driver}://{rest}"
    raise ConfigError("PostgreSQL needs a driver; type pip install 'mmf_cmsbert[postgresql]'")


def _shown(storage: str) -> str:
    """Return a storage without its password."""
    scheme, found, rest = storage.partition("://")
    account, at, host = rest.rpartition("@")
    return f"{scheme}{found}{account.partition(':')[0]}{at}{host}"


def _taken_up(study: Any, trial: Any) -> None:
    """Queue a trial again whose worker died; a callback of Optuna's."""
    of = trial.user_attrs.get("of", trial.number)
    times = trial.user_attrs.get("times", 0) + 1
    if times <= _TIMES:
        study.enqueue_trial(trial.params, user_attrs={"of": of, "times": times})


def search_together(
    study: Any,
    space: Sequence[Dimension],
    trials: int,
    seed: int,
    evaluate: Evaluate,
    prune: bool,
    pause: float = 5.0,
) -> None:
    """Make trials until ``trials`` in all have ended, those of other workers included.

    Args:
        study: from :func:`open_shared`.
        space: the keys to vary.
        trials: number of settings.
        seed: seed of this worker's draws.
        evaluate: scores a setting, given its number, key -> value, and a function that it calls
            with an update and its validation score (None without pruning). Raises TrialFailed.
        prune: whether to end a trial whose score is worse than the median of the others at the
            same update.
        pause: seconds between two looks at the trials of other workers.
    """
    from optuna import TrialPruned
    from optuna.pruners import MedianPruner, NopPruner
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    study.pruner = MedianPruner() if prune else NopPruner()

    def objective(trial: Any) -> float:
        values = {dimension.key: dimension.suggest(trial) for dimension in space}
        trial.set_user_attr("values", values)
        trial.set_user_attr("worker", _worker())  # at once, or a kill could leave a part of it
        try:
            report = _reporting(trial) if prune else None
            return evaluate(trial.user_attrs.get("of", trial.number), values, report)
        except TrialFailed as error:
            trial.set_user_attr("error", str(error))
            raise
        except TrialPruned:
            raise
        except BaseException:  # interrupted: the same setting is tried again
            _taken_up(study, trial)
            raise

    while len(ended(study)) < trials:
        _take_up_dead(study)
        states = [each.state for each in study.get_trials(deepcopy=False)]
        begun = len(ended(study)) + states.count(TrialState.RUNNING)
        if TrialState.WAITING in states or begun < trials:
            draw = np.random.SeedSequence([seed, len(states), os.getpid()]).generate_state(1)
            # The liar keeps workers from drawing near a setting that is still being tried.
            study.sampler = TPESampler(seed=int(draw[0]), constant_liar=True)
            study.optimize(objective, n_trials=1, catch=(TrialFailed,))
        else:
            time.sleep(pause)


def ended(study: Any) -> list[Any]:
    """Return the trials that were scored, pruned or failed, in order, without interrupted ones."""
    return [
        trial
        for trial in study.get_trials(deepcopy=False)
        if trial.state.name in ("COMPLETE", "PRUNED") or "error" in trial.user_attrs
    ]


def _reporting(trial: Any) -> Report:
    from optuna import TrialPruned

    def report(update: int, score: float) -> None:
        trial.report(score, update)
        if trial.should_prune():
            raise TrialPruned

    return report


def _worker() -> dict[str, Any]:
    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "started": start_time(pid)}


def _take_up_dead(study: Any) -> None:
    """Queue the trials of dead workers again.

    Workers of a database give signs of life. Of a journal file's workers, those of this machine
    are looked for.
    """
    import optuna
    from optuna.trial import TrialState

    optuna.storages.fail_stale_trials(study)
    for trial in study.get_trials(states=(TrialState.RUNNING,)):
        worker = trial.user_attrs.get("worker", {})
        here = worker.get("host") == socket.gethostname()
        if here and not is_running(worker["pid"], worker["started"]):
            with suppress(ValueError, RuntimeError):  # another worker has just done this
                study.tell(trial.number, state=TrialState.FAIL)
                _taken_up(study, trial)
