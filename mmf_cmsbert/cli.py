"""The commands ``mmf_run`` and ``mmf_predict``: MMF's own, with less to type and plain errors."""

import shlex
import sys
import time
import warnings
from argparse import RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any

from mmf_cmsbert import console
from mmf_cmsbert.compat.libraries import demjson
from mmf_cmsbert.config import overrides, preflight, run_config, words
from mmf_cmsbert.config.completion import complete
from mmf_cmsbert.console import interruption
from mmf_cmsbert.errors import ConfigError, ProcessLost, UserError
from mmf_cmsbert.files import write_error
from mmf_cmsbert.records import earlier_run, run_record
from mmf_cmsbert.registration import register
from mmf_cmsbert.terminal import show_any_text
from mmf_cmsbert.utils.environment import without_values

_HELP = "--help-config"
_DESCRIPTION = """\
{what} what a configuration describes, with MMF.

  {prog} config=projects/cmsbert/mosi.yaml
  {prog} config=projects/cmsbert/mosi.yaml model_config.cmsbert.shift.context=word training.seed=2

Any key of the configuration can be given as KEY=VALUE; the value is read as YAML. model=NAME and
dataset=NAME[,NAME] can be set in the file or here; what is typed here wins. The file is looked up
in the working folder, then among those shipped with mmf_cmsbert and with MMF.

{prog} --help-config lists the sections of the configuration; with a section or a key behind it, it
explains that: types, ranges, defaults."""


def mmf_run() -> None:
    """Train and test: the console command ``mmf_run``."""
    _command("mmf_run", "Train and test", predict=False)


def mmf_predict() -> None:
    """Write predictions for the test split: the console command ``mmf_predict``."""
    _command("mmf_predict", "Write predictions of a trained model for", predict=True)


def _command(prog: str, what: str, predict: bool) -> None:
    began = time.time()
    with console.command(prog):
        show_any_text()
        try:
            _start(prog, what, predict)
        except UserError as error:
            print(f"{prog}: error: {error}", file=sys.stderr)
            sys.exit(2)
        except OSError as error:
            if not (unwritable := write_error(error)):
                raise
            print(f"{prog}: error: {unwritable}", file=sys.stderr)
            sys.exit(2)
        except ProcessLost as error:
            print(f"{prog}: error: {error}", file=sys.stderr)
            sys.exit(1)
        except KeyboardInterrupt as error:
            if console.signals.is_first_process():
                print(f"{prog}: {interruption.message(error, began, predict)}", file=sys.stderr)
            interruption.end_processes(error)
            sys.exit(interruption.status(error))


def _start(prog: str, what: str, predict: bool) -> None:
    typed = sys.argv[1:]
    if any(word.split("=")[0] == _HELP for word in typed):
        _explain(typed)
        return
    register()
    from mmf.utils.flags import flags

    parser = flags.get_parser()
    parser.prog = prog
    parser.usage = f"{prog} [-co JSON] config=FILE [KEY=VALUE ...]"
    parser.description = _DESCRIPTION.format(what=what, prog=prog)
    parser.formatter_class = RawDescriptionHelpFormatter
    arguments = parser.parse_args()
    with warnings.catch_warnings():
        # MMF says so again for the run itself.
        warnings.filterwarnings("ignore", message="Device specified is 'cuda'")
        override = _json(arguments.config_override)
        completed = complete(overrides.parse(arguments.opts), predict, override)

    flagged = [] if arguments.config_override is None else ["-co", arguments.config_override]
    if arguments.local_rank is not None:
        flagged.append(f"--local_rank={arguments.local_rank}")
    sys.argv = [prog, *flagged, *(words.write(*each) for each in completed.options.items())]

    from mmf_cli.run import run

    from mmf_cmsbert.trainers import lost_processes

    with ExitStack() as stack:
        folder = _own_folder(completed.resolved(), [prog, *typed], predict)
        earlier = stack.enter_context(folder)
        if not predict:
            recorded = run_config.without_temporary(without_values(completed.config))
            stack.enter_context(run_record.recorded([prog, *typed], recorded, earlier))
        stack.enter_context(console.signals.raised())
        stack.enter_context(lost_processes.named())
        run(predict=predict)


def _explain(typed: Sequence[str]) -> None:
    """Print what ``--help-config [KEY]`` asks for; ``env.user_dir=FOLDER`` adds its schemas."""
    from mmf_cmsbert.config import reference

    keys = [word.removeprefix(f"{_HELP}=") for word in typed if word != _HELP]
    options = overrides.parse([key for key in keys if "=" in key])
    more = {}
    if "env.user_dir" in options:
        register()
        preflight.import_user_dir(options, {})
        more = reference.registered()
    asked = [key for key in keys if "=" not in key]
    for key in asked or (None,):
        print(reference.describe(key, more))


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
