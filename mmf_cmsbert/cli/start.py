"""Starts MMF with a command line that was completed from its configuration file."""

import json
import shlex
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import Any

import yaml

from mmf_cmsbert import console
from mmf_cmsbert.cli.arguments import Arguments
from mmf_cmsbert.compat.libraries import demjson
from mmf_cmsbert.config import overrides, run_config, words
from mmf_cmsbert.config.completion import Completion, complete
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.records import earlier_run, run_record
from mmf_cmsbert.registration import register
from mmf_cmsbert.utils.allocator import keep_freed_memory
from mmf_cmsbert.utils.environment import without_values

_NO_GPU = "Device specified is 'cuda' but cuda is not present"


def start(typed: Arguments, predict: bool) -> Path:
    """Run what a command line describes.

    Args:
        typed: the command line.
        predict: whether predictions are wanted.

    Returns:
        The run's folder.
    """
    completed = _completed(typed, predict)
    resolved = completed.resolved()
    _set_up_console(resolved["training"]["verbose"])
    command = [typed.prog, *typed.typed]
    flagged = ["-co", json.dumps(completed.override)] if completed.override else []
    if typed.local_rank is not None:
        flagged.append(f"--local_rank={typed.local_rank}")
    sys.argv = [typed.prog, *flagged, *(words.write(*each) for each in completed.options.items())]

    from mmf_cli.run import run

    from mmf_cmsbert.trainers import lost_processes

    keep_freed_memory()
    with ExitStack() as stack:
        earlier = stack.enter_context(_own_folder(resolved, command, predict))
        if not predict:
            recorded = run_config.without_temporary(without_values(completed.config))
            stack.enter_context(run_record.recorded(command, recorded, earlier))
        stack.enter_context(console.signals.raised())
        stack.enter_context(lost_processes.reported())
        run(predict=predict)
    return Path(resolved["env"]["save_dir"]).expanduser()


def configuration(typed: Arguments) -> dict[str, Any]:
    """Return the configuration of a training, references resolved. Nothing is run or created."""
    return _completed(typed, predict=False, only_look=True).resolved()


def print_config(typed: Arguments, predict: bool) -> None:
    """Print the configuration of a run as YAML; as a file, it gives the same run.

    References are resolved, except those to environment variables, which may hold passwords.
    """
    completed = _completed(typed, predict, only_look=True)
    config = without_values(completed.config)
    config.pop("config", None)  # the file that was read
    print(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), end="")


def _completed(typed: Arguments, predict: bool, only_look: bool = False) -> Completion:
    register()
    options = overrides.parse(typed.words)
    if typed.verbose and options:
        options["training.verbose"] = "True"
    with warnings.catch_warnings():
        # MMF says so again for the run itself.
        warnings.filterwarnings("ignore", message=_NO_GPU)
        return complete(options, predict, _json(typed.config_override), only_look)


def _set_up_console(verbose: bool) -> None:
    from mmf_cmsbert.compat.mmf import log

    log.be_verbose(verbose)
    if log.is_summed_up():  # the summary names the device
        warnings.filterwarnings("ignore", message=_NO_GPU)


def _own_folder(
    config: Mapping[str, Any], command: Sequence[str], predict: bool
) -> AbstractContextManager[earlier_run.EarlierRun | None]:
    """Hold the lock of the run's folder, in the first process of the run."""
    if not console.signals.is_first_process():
        return nullcontext()
    trains = not predict and "train" in config["run_type"]
    return earlier_run.opened(config, shlex.join(command), trains)


def _json(text: str | None) -> Mapping[str, Any]:
    """What MMF's option --config_override holds; MMF reads it once more."""
    if not text:
        return {}
    library = demjson.library()
    try:
        override = library.decode(text)
    except library.JSONError as error:
        raise ConfigError(f"--config_override {text}: {error}; expected JSON") from error
    if not isinstance(override, Mapping):
        raise ConfigError(f"--config_override {text}: expected a JSON object")
    return override
