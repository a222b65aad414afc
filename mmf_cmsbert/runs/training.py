"""Training from Python, in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.cli import arguments
from mmf_cmsbert.console import signals
from mmf_cmsbert.datasets.writers.dataset_objects import write_objects
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import write_error
from mmf_cmsbert.registration import register
from mmf_cmsbert.runs.global_state import restored
from mmf_cmsbert.runs.override_words import words_of
from mmf_cmsbert.runs.run import Run


def train(
    recipe: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    *,
    data: Any = None,
    save_dir: str | Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    verbose: bool = False,
) -> Run:
    """Train a model as ``mmf_run config=RECIPE`` does, in this process.

    Checks, lock, record and exported model of the run are the same. When it returns or raises,
    signal handlers, logging, MMF's registry, ``sys.argv`` and the states of the random number
    generators are as before.

    >>> import mmf_cmsbert
    >>> run = mmf_cmsbert.train(
    ...     "projects/cmsbert/demo.yaml", {"training.max_updates": 60}, save_dir="save/demo"
    ... )  # doctest: +SKIP

    Args:
        recipe: a configuration file, found in the working folder or among the shipped ones.
        overrides: keys with their values: dotted as in ``{"training.seed": 2}``, nested as in
            ``{"training": {"seed": 2}}``, or words as on a command line, ``["training.seed=2"]``.
            The keys of a nested mapping are set one by one. A mapping under a dotted key is the
            value of that key, which must not be a section yet.
        data: a ``datasets.DatasetDict`` or ``IterableDatasetDict`` with the splits ``train``,
            ``validation`` and ``test``, to train on instead of the recipe's data. It is written
            beside the run's folder as ``data-HASH``, and used as the ``source`` of the recipe's
            dataset. Columns are found as in files.
        save_dir: the run's folder; by default the recipe's ``env.save_dir``.
        resume: whether to resume the run in ``save_dir``; it begins if there is none.
        overwrite: whether to replace an earlier run in ``save_dir``.
        verbose: whether MMF's log is shown as well, as by ``mmf_run --verbose``.

    Raises:
        UserError: what ``mmf_run`` ends with: a wrong key, value, file or folder; or ``data`` is
            something else.
        KeyboardInterrupt: after a signal, when a checkpoint was saved.
    """
    words = [f"config={recipe}", *words_of(overrides)]
    words += [] if save_dir is None else words_of({"env.save_dir": save_dir})
    words += ["checkpoint.resume=true"] * resume + ["env.overwrite=true"] * overwrite
    words += ["--verbose"] * verbose
    typed = arguments.parse("mmf_run", words)
    register()  # before anything that imports MMF
    from mmf_cmsbert.cli import start
    from mmf_cmsbert.compat.mmf.both import process_start

    if data is not None:
        source = _source(data, start.configuration(typed), typed.words)
        typed = arguments.parse("mmf_run", [*words, *words_of(source)])
    with restored(), signals.handled("train"), process_start.in_one_process():
        try:
            folder = start.start(typed, predict=False)
        except OSError as error:
            raise write_error(error) or error from error
    if not (folder / "run.json").is_file():
        raise ConfigError(f"nothing was trained in {folder}; expected a run_type with train in it")
    return Run(folder)


def _source(data: Any, config: Mapping[str, Any], words: Sequence[str]) -> dict[str, Path]:
    """Write the data of a run beside its folder; the key and value that name it."""
    names = str(config["datasets"]).split(",")
    key = f"dataset_config.{names[0]}.source"
    if any(word.startswith(f"{key}=") for word in words):
        raise ConfigError(f"{key} and data both name the data of the run; remove one of them")
    if len(names) > 1:
        raise ConfigError(
            f"data is for one dataset, but the recipe trains on {' and '.join(names)}; add "
            f"'dataset': {names[0]!r} to the overrides"
        )
    folder = Path(config["env"]["save_dir"]).expanduser().absolute()
    return {key: write_objects(data, folder.parent)}
