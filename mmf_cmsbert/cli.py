"""The commands ``mmf_run`` and ``mmf_predict``: MMF's own, with less to type and plain errors."""

import json
import os
import shlex
import sys
import time
import warnings
from argparse import Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmf_cmsbert import console, overrides, preflight
from mmf_cmsbert.checkpoints import trained_with
from mmf_cmsbert.compat.libraries import demjson
from mmf_cmsbert.config import (
    references,
    run_config,
    run_folder,
    run_length,
    shipped,
    splits,
    typed_source,
    weights,
    words,
)
from mmf_cmsbert.config.environment import without_values
from mmf_cmsbert.console import interruption
from mmf_cmsbert.errors import ConfigError, ProcessLost, UserError
from mmf_cmsbert.files import check_regular, write_error
from mmf_cmsbert.paths import PACKAGE
from mmf_cmsbert.records import earlier_run, run_record
from mmf_cmsbert.registration import register
from mmf_cmsbert.terminal import show_any_text

_EXAMPLES = {"model": "cmsbert", "dataset": "mosi", "datasets": "mosi,mosei"}
_DESCRIPTION = """\
{what} what a configuration describes, with MMF.

  {prog} config=projects/cmsbert/mosi.yaml
  {prog} config=projects/cmsbert/mosi.yaml model_config.cmsbert.shift.context=word training.seed=2

Any key of the configuration can be given as KEY=VALUE; the value is read as YAML. model=NAME and
dataset=NAME[,NAME] can be set in the file or here; what is typed here wins. The file is looked up
in the working folder, then among those shipped with mmf_cmsbert and with MMF."""


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
    register()
    from mmf.utils.flags import flags

    typed = sys.argv[1:]
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
        options = complete(overrides.parse(arguments.opts), predict, override)
        config = resolved(options, arguments.config_override)

    flagged = [] if arguments.config_override is None else ["-co", arguments.config_override]
    if arguments.local_rank is not None:
        flagged.append(f"--local_rank={arguments.local_rank}")
    sys.argv = [prog, *flagged, *(words.write(*each) for each in options.items())]

    from mmf_cli.run import run

    from mmf_cmsbert.trainers import lost_processes

    with ExitStack() as stack:
        earlier = stack.enter_context(_own_folder(config, [prog, *typed], predict))
        if not predict:
            recorded = _configuration(options, *options, override=arguments.config_override)
            recorded = run_config.without_temporary(without_values(recorded))
            stack.enter_context(run_record.recorded([prog, *typed], recorded, earlier))
        stack.enter_context(console.signals.raised())
        stack.enter_context(lost_processes.named())
        run(predict=predict)


def _own_folder(config: Mapping, command: Sequence[str], predict: bool) -> AbstractContextManager:
    """Hold the lock of the run's folder, in the first process of the run."""
    if not console.signals.is_first_process():
        return nullcontext()
    trains = not predict and "train" in config["run_type"]
    return earlier_run.opened(config, shlex.join(command), trains)


def complete(
    options: dict[str, str], predict: bool = False, override: Mapping | None = None
) -> dict[str, str]:
    """Fill in what MMF wants on the command line and the file says: model, dataset, full path.

    Args:
        options: key -> value as typed.
        predict: whether predictions are wanted, which need a trained model.
        override: what MMF's option --config_override holds.

    Raises:
        ConfigError: no such file, model, dataset or key; nothing to predict with.
    """
    from mmf.utils.configuration import load_yaml

    if not options:
        raise ConfigError(
            "nothing to run; type for example mmf_run config=projects/cmsbert/mosi.yaml, or "
            "mmf_run --help"
        )
    options = dict(options)
    override = override or {}
    file: Mapping = {}
    if "config" in options:
        options["config"] = str(config_file(options["config"]))
    run = run_folder.named_run(options)
    if run is not None:
        options = _with_configuration_of(run, options, predict)
    elif predict:
        run_folder.check_named(options)
    if "config" in options:
        file = load_yaml(options["config"])
        if not file:
            raise ConfigError(
                f"{options['config']}: expected a configuration, keys with values; found none"
            )
    options["model"] = options.get("model") or _named(file, "model")
    given = options.pop("datasets", None) or options.get("dataset")
    options["dataset"] = given or _named(file, "dataset", "datasets")
    if save_dir := os.environ.get("MMF_SAVE_DIR"):
        options.setdefault("env.save_dir", save_dir)

    values = {key: overrides.value_of(text) for key, text in options.items()}
    options |= {key: str(value) for key, value in run_length.typed(values, override).items()}
    options |= typed_source.complete(options, predict)
    preflight.import_user_dir(options, file)
    preflight.check_names(options["model"], options["dataset"].split(","))
    ours = options["model"] == "cmsbert"
    defaults = _configuration(options, "model", "dataset")
    preflight.check_sections(file, options.get("config", ""), defaults)
    preflight.check_sections(override, "--config_override", defaults)
    config = _configuration(options, "config", "model", "dataset")
    known = {key: value for key, value in options.items() if key != "dataset"}
    overrides.check(known, config, sections=not ours, defaults=defaults)
    if ours:
        # Files for other models may hold keys and values that only those models know.
        preflight.check_keys_of(file, options.get("config", ""), defaults)
        preflight.check_keys_of(override, "--config_override", defaults)
        preflight.check_values(options, config, defaults)
    save_dir = Path(options.get("env.save_dir") or config.env.save_dir)
    preflight.check_save_dir(save_dir)
    if predict:
        options |= {"evaluation.predict": "True", "run_type": _predicted(options)}
    if predict or (ours and not splits.trains(options.get("run_type") or config.run_type)):
        folders = [save_dir, *([run.folder] if run else [])]
        options |= weights.to_evaluate(options, config.checkpoint, folders, run is not None)
    return _belonging_to_its_weights(options, save_dir, override)


def _with_configuration_of(
    run: run_folder.Snapshot, options: dict[str, str], predict: bool
) -> dict[str, str]:
    """Options whose ``config`` is a run's own configuration."""
    names = run.model_and_datasets() | {k: options[k] for k in ("dataset",) if k in options}
    preflight.import_user_dir(options, run.content)
    preflight.check_names(names["model"], names["dataset"].split(","))
    file = run.as_file(_configuration(names, "model", "dataset"))
    return options | {"config": str(file)} | run.own_folder(options, predict)


def _predicted(options: Mapping[str, str]) -> str:
    """The ``run_type`` of a prediction: the splits that are typed, or test."""
    run_type = options.get("run_type", "predict")
    if splits.trains(run_type):
        raise ConfigError(
            f"run_type={run_type}: mmf_predict does not train; expected val, test or val_test"
        )
    return run_type


def _belonging_to_its_weights(
    options: dict[str, str], save_dir: Path, override: Mapping
) -> dict[str, str]:
    """Check that the configuration is the one that the weights to load were trained with."""
    text = json.dumps(override) if override else None
    found = resolved(options, text)
    if (load := weights.to_load(found, save_dir)) is None:
        return options
    file, take = load
    if not file.is_file():
        return options  # MMF's zoo may know it
    kept = trained_with.configuration(file)
    if kept and (more := weights.widths_of_other_datasets(kept, found)):
        options = options | more
        found = resolved(options, text)
    defaults = shipped.defaults_of(options["model"], options["dataset"].split(","))
    weights.check(found, kept, defaults, file, take)  # its warnings come when they are loaded
    return options


def config_file(name: str) -> Path:
    """The file that ``config=`` names, from the working folder, this package, or MMF."""
    from mmf.utils.general import get_mmf_root

    root = Path(get_mmf_root())
    places = [Path.cwd(), PACKAGE, root.parent, root]
    found = [place / name for place in places if (place / name).exists()]
    if found:
        file = next((path for path in found if path.is_file()), found[0])
        check_regular(file)
        return file.resolve()
    raise ConfigError(
        f"config={name}: there is no such file in {', '.join(map(str, places))}. "
        "Shipped recipes: "
        + ", ".join(sorted(str(p.relative_to(PACKAGE)) for p in PACKAGE.glob("projects/*/*.yaml")))
    )


def _json(text: str | None) -> Mapping:
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


def _named(file: Mapping, *keys: str) -> str:
    """What the file says under the first of ``keys`` that it has, names separated by commas."""
    for key in keys:
        value = file.get(key)
        if not value:
            continue
        names = [value] if isinstance(value, str) else value
        if isinstance(names, Sequence) and all(isinstance(name, str) for name in names):
            return ",".join(names)
        raise ConfigError(f"{key} is {value!r}; expected a name, as in {key}: {_EXAMPLES[key]}")
    raise ConfigError(
        f"which {keys[0]}? It stands neither in the configuration file nor on the command line; "
        f"type {keys[0]}=NAME"
    )


def resolved(options: Mapping[str, str], override: str | None = None) -> dict[str, Any]:
    """The whole configuration of a run in plain containers, every reference replaced by its value.

    Args:
        options: what :func:`complete` gives.
        override: the JSON of MMF's option --config_override.
    """
    config = _configuration(options, *options, override=override)
    return OmegaConf.to_container(config, resolve=True)


def _configuration(options: Mapping[str, str], *keys: str, override: str | None = None):
    """MMF's configuration with those options that ``keys`` names, its references checked.

    It is not the run's, so that nothing is printed: MMF prints it all when it makes the run's own.
    """
    from mmf.utils.configuration import Configuration

    typed = [words.write(key, options[key]) for key in keys if key in options]
    try:
        with redirect_stdout(None):
            arguments = Namespace(config_override=override, opts=typed)
            config = Configuration(arguments).get_config()
    except (OmegaConfBaseException, RecursionError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f"the configuration cannot be used: {reason[:300]}") from error
    references.check(config)
    return config
