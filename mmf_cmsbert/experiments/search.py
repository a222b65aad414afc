"""A search over a space with Optuna, in steps that can be interrupted without changing it."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.errors import ConfigError, UserError
from mmf_cmsbert.experiments.space import Dimension

# So many failures before anything succeeded, and the rest is not tried.
_HOPELESS = 3


class TrialFailed(UserError):
    """A setting could not be scored; others may be."""


def open_study(file: Path, minimize: bool, made_with: Mapping[str, Any]) -> Any:
    """Begin a study, or take up the one in ``file``.

    Args:
        file: an SQLite database.
        minimize: whether less is better.
        made_with: whatever must stay as it is from the first trial to the last.

    Raises:
        ConfigError: Optuna is not installed, or the study there was made with something else.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            "Optuna is not installed; type pip install 'mmf_cmsbert[experiments]'"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=f"sqlite:///{file}",
        study_name="cmsbert",
        direction="minimize" if minimize else "maximize",
        load_if_exists=True,
    )
    text = json.dumps(made_with, sort_keys=True)
    before = study.user_attrs.get("made_with", text)
    if before != text:
        old, new = json.loads(before), json.loads(text)
        changed = ", ".join(sorted(k for k in old | new if old.get(k) != new.get(k))[:4])
        raise ConfigError(
            f"{file} holds a search ({len(tried(study))} trials) that was made with other values "
            f"of {changed}; type --output FOLDER for a new one, --overwrite to replace it, or the "
            "options that it was made with to continue it"
        )
    study.set_user_attr("made_with", text)
    return study


def search(
    study: Any,
    space: Sequence[Dimension],
    trials: int,
    seed: int,
    evaluate: Callable[[int, Mapping[str, Any]], float],
) -> None:
    """Go on until ``trials`` settings have been tried in all, with TPE (Bergstra et al., 2011).

    Each draw has a seed of its own, and so depends on the trials before it and not on whether the
    search was interrupted between them.

    Args:
        study: as :func:`open_study` gives it.
        space: what is varied.
        trials: how many settings to try, counted from the first one of the study.
        seed: of the draws.
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
    """The trials that were scored or failed, in their order; not those that were interrupted."""
    return [t for t in study.trials if t.value is not None or "error" in t.user_attrs]


def _check_hope(study: Any) -> None:
    done = tried(study)
    if len(done) == _HOPELESS and all(trial.value is None for trial in done):
        raise ConfigError(
            f"the first {_HOPELESS} settings all failed, the last one with: "
            f"{done[-1].user_attrs['error']}"
        )
