"""Search a space with Optuna. An interruption does not change the search."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mmf_cmsbert.errors import ConfigError, UserError
from mmf_cmsbert.experiments.space import Dimension
from mmf_cmsbert.files import WriteError, replaced_file

_NAME = "cmsbert"
# The search ends after this many failures without a success.
_HOPELESS = 3


class TrialFailed(UserError):
    """A setting could not be scored; the search tries others."""


def open_study(file: Path, minimize: bool, made_with: Mapping[str, Any]) -> Any:
    """Create a study, or continue the one in ``file``.

    Args:
        file: an SQLite database.
        minimize: whether lower is better.
        made_with: settings that must be equal for all trials.

    Raises:
        ConfigError: Optuna is not installed, or the study has other settings.
        WriteError: the database cannot be written.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            "Optuna is not installed; type pip install 'mmf_cmsbert[experiments]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction: Literal["minimize", "maximize"] = "minimize" if minimize else "maximize"
    with writing(file):
        if not file.is_file():  # complete or absent: a part of a database could not be continued
            with replaced_file(file) as unfinished:
                storage = optuna.storages.RDBStorage(f"sqlite:///{unfinished}")
                optuna.create_study(storage=storage, study_name=_NAME, direction=direction)
                storage.remove_session()
                storage.engine.dispose()
        study = optuna.create_study(
            storage=f"sqlite:///{file}",
            study_name=_NAME,
            direction=direction,
            load_if_exists=True,
        )
    text = json.dumps(made_with, sort_keys=True)
    before = study.user_attrs.get("made_with", text)
    if before != text:
        old, new = json.loads(before), json.loads(text)
        changed = ", ".join(sorted(k for k in old | new if old.get(k) != new.get(k))[:4])
        raise ConfigError(
            f"{file} holds a search ({len(tried(study))} trials) with other values of {changed}; "
            "type --output FOLDER for a new one, --overwrite to replace it, or the same options "
            "as before to continue it"
        )
    with writing(file):
        study.set_user_attr("made_with", text)
    return study


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Report SQLite's errors in this block, in which the database of a study is used.

    Raises:
        WriteError: the database cannot be written.
        ConfigError: it is damaged.
    """
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error  # Optuna wraps SQLAlchemy's error, and that SQLite's
        while cause is not None and not isinstance(cause, sqlite3.Error):
            cause = getattr(cause, "orig", None) or cause.__cause__
        if cause is None:
            raise
        if not isinstance(cause, sqlite3.OperationalError):
            raise ConfigError(
                f"{file} is damaged ({cause}); type --output FOLDER for a new search, or "
                "--overwrite to replace it"
            ) from error
        # SQLite does not keep the system's error.
        reason = f"{cause}; is the disk full, or the size of files limited (ulimit -f)?"
        raise WriteError(file, OSError(reason)) from error


def search(
    study: Any,
    space: Sequence[Dimension],
    trials: int,
    seed: int,
    evaluate: Callable[[int, Mapping[str, Any]], float],
) -> None:
    """Try settings drawn by TPE (Bergstra et al., 2011) until there are ``trials`` in all.

    Each draw has its own seed. It depends on the trials before it, not on interruptions.

    Args:
        study: from :func:`open_study`.
        space: the keys to vary.
        trials: number of settings, counted from the study's first.
        seed: seed of the draws.
        evaluate: scores a setting, given its number and key -> value; raises TrialFailed.

    Raises:
        ConfigError: the first settings all failed.
    """
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    for trial in study.get_trials(states=(TrialState.RUNNING,)):  # the process was killed
        study.tell(trial.number, state=TrialState.FAIL)
    while (number := len(tried(study))) < trials:
        draw = np.random.SeedSequence([seed, number]).generate_state(1)
        study.sampler = TPESampler(seed=int(draw[0]))
        trial = study.ask()
        values = {dimension.key: dimension.suggest(trial) for dimension in space}
        trial.set_user_attr("values", values)
        try:
            score = evaluate(number, values)
        except TrialFailed as error:
            trial.set_user_attr("error", str(error))
            study.tell(trial, state=TrialState.FAIL)
            _check_hope(study)
        except BaseException:  # interrupted: the same setting is drawn again
            study.tell(trial, state=TrialState.FAIL)
            raise
        else:
            study.tell(trial, score)


def tried(study: Any) -> list[Any]:
    """Return the trials that were scored or failed, in order, without interrupted ones."""
    return [t for t in study.trials if t.value is not None or "error" in t.user_attrs]


def _check_hope(study: Any) -> None:
    done = tried(study)
    if len(done) == _HOPELESS and all(trial.value is None for trial in done):
        raise ConfigError(
            f"the first {_HOPELESS} settings all failed, the last one with: "
            f"{done[-1].user_attrs['error']}"
        )
