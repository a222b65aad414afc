"""The commands ``mmf_run`` and ``mmf_predict``: MMF's own, with less to type and plain errors."""

import os
import sys
import warnings
from argparse import Namespace, RawDescriptionHelpFormatter
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path

import yaml
from omegaconf import OmegaConf

import mmf_cmsbert
from mmf_cmsbert import overrides
from mmf_cmsbert.config_check import check_keys, unknown_name
from mmf_cmsbert.errors import ConfigError, UserError
from mmf_cmsbert.paths import PACKAGE

_DESCRIPTION = """\
{what} what a configuration describes, with MMF.

  {prog} config=projects/cmsbert/mosi.yaml
  {prog} config=projects/cmsbert/mosi.yaml model_config.cmsbert.shift.context=word training.seed=2

Any key of the configuration can be given as KEY=VALUE; the value is read as YAML. model=NAME and
dataset=NAME[,NAME] may stand in the file or here; what stands here wins. The file is looked for
from the working folder, then among those shipped with mmf_cmsbert and with MMF."""

# Sections whose keys MMF's defaults do not list; the model and the datasets check their own.
_FREE_SECTIONS = ("model_config", "dataset_config", "optimizer", "scheduler")
# Keys that MMF's defaults lack and that a file may have all the same.
_FILE_ONLY = ("dataset", "learning_rate")


def mmf_run() -> None:
    """Train and test: the console command ``mmf_run``."""
    _command("mmf_run", "Train and test", predict=False)


def mmf_predict() -> None:
    """Write predictions for the test split: the console command ``mmf_predict``."""
    _command("mmf_predict", "Write predictions of a trained model for", predict=True)


def _command(prog: str, what: str, predict: bool) -> None:
    try:
        _start(prog, what, predict)
    except UserError as error:
        print(f"{prog}: error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        resume = "" if predict else "; the same command with checkpoint.resume=true goes on"
        print(f"{prog}: interrupted{resume}", file=sys.stderr)
        sys.exit(130)


def _start(prog: str, what: str, predict: bool) -> None:
    if not mmf_cmsbert.MMF_INSTALLED:
        raise ConfigError("MMF is not installed; the README's section on set-up says how")
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
        options = complete(overrides.parse(arguments.opts), predict)

    flagged = [] if arguments.config_override is None else ["-co", arguments.config_override]
    if arguments.local_rank is not None:
        flagged.append(f"--local_rank={arguments.local_rank}")
    sys.argv = [prog, *flagged, *(f"{key}={value}" for key, value in options.items())]

    from mmf_cli.run import run

    run(predict=predict)


def complete(options: dict[str, str], predict: bool = False) -> dict[str, str]:
    """Fill in what MMF wants on the command line and the file says: model, dataset, full path.

    Args:
        options: key -> value as typed.
        predict: whether predictions are wanted, which need a trained model.

    Raises:
        ConfigError: no such file, model, dataset or key; nothing to predict with.
    """
    from mmf.utils.configuration import load_yaml

    options = dict(options)
    file: Mapping = {}
    if "config" in options:
        options["config"] = str(_config_file(options["config"]))
        file = _read(load_yaml, options["config"])
    options["model"] = options.get("model") or _named(file, "model")
    given = options.pop("datasets", None) or options.get("dataset")
    options["dataset"] = given or _named(file, "dataset", "datasets")
    if save_dir := os.environ.get("MMF_SAVE_DIR"):
        options.setdefault("env.save_dir", save_dir)

    _import_user_dir(options, file)
    _check_names(options["model"], options["dataset"].split(","))
    config = _configuration(options, "config", "model", "dataset")
    overrides.check({k: v for k, v in options.items() if k != "dataset"}, config)
    if options["model"] == "cmsbert":
        # Files for other models may hold keys and values that only those models know.
        defaults = _configuration(options, "model", "dataset")
        _check_file(options.get("config", ""), file, defaults)
        _check_values(options, config, defaults)
    if predict:
        options["evaluation.predict"] = "True"
        options |= _trained_weights(options, config)
    return options


def _config_file(name: str) -> Path:
    """The file that ``config=`` names, from the working folder, this package, or MMF."""
    from mmf.utils.general import get_mmf_root

    root = Path(get_mmf_root())
    places = [Path.cwd(), PACKAGE, root.parent, root]
    for place in places:
        if (place / name).is_file():
            return (place / name).resolve()
    raise ConfigError(
        f"config={name}: there is no such file in {', '.join(map(str, places))}. "
        "Shipped recipes: "
        + ", ".join(sorted(str(p.relative_to(PACKAGE)) for p in PACKAGE.glob("projects/*/*.yaml")))
    )


def _read(load_yaml, path: str) -> Mapping:
    try:
        return load_yaml(path)
    except (yaml.YAMLError, OSError, AttributeError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from error


def _named(file: Mapping, *keys: str) -> str:
    """What the file says under the first of ``keys`` that it has, names separated by commas."""
    for key in keys:
        value = file.get(key)
        if value:
            return value if isinstance(value, str) else ",".join(value)
    raise ConfigError(
        f"which {keys[0]}? It stands neither in the configuration file nor on the command line; "
        f"type {keys[0]}=NAME"
    )


def _check_section(section: str, values: Mapping, defaults: Mapping) -> None:
    for name, default in defaults.items():
        key, value = f"{section}.{name}", values.get(name)
        if isinstance(default, Mapping) and isinstance(value, Mapping):
            _check_section(key, value, default)
        else:
            overrides.check_value(key, value, default)


def _import_user_dir(options: Mapping[str, str], file: Mapping) -> None:
    """Import the plugin that ``env.user_dir`` names, so that what it registers is known."""
    from mmf.utils.env import import_user_module

    user_dir = options.get("env.user_dir") or (file.get("env") or {}).get("user_dir")
    user_dir = user_dir or os.environ.get("MMF_USER_DIR")
    if user_dir:
        import_user_module(user_dir)


def _check_names(model: str, datasets: list[str]) -> None:
    from mmf.common.registry import registry

    mapping = registry.mapping
    if registry.get_model_class(model) is None:
        raise ConfigError(unknown_name("model", model, mapping["model_name_mapping"]))
    for dataset in datasets:
        if registry.get_builder_class(dataset) is None:
            raise ConfigError(unknown_name("dataset", dataset, mapping["builder_name_mapping"]))


def _configuration(options: Mapping[str, str], *keys: str):
    """MMF's configuration as those options make it that are named in ``keys``.

    Only looked at: what MMF has to say of it, it says when it makes it for the run.
    """
    from mmf.utils.configuration import Configuration

    words = [f"{key}={options[key]}" for key in keys if key in options]
    with redirect_stdout(None):
        return Configuration(Namespace(config_override=None, opts=words)).get_config()


def _check_file(path: str, file: Mapping, known: Mapping) -> None:
    """Refuse a misspelt key, which MMF would ignore in silence."""
    for section in file:
        if section not in known and section not in _FILE_ONLY:
            raise ConfigError(f"{path}: {unknown_name('section', section, known)}")
        if section not in _FREE_SECTIONS and isinstance(known.get(section), Mapping):
            try:
                check_keys(file[section], known[section], section)
            except ConfigError as error:
                raise ConfigError(f"{path}: {error}") from error


def _check_values(options: Mapping[str, str], config: Mapping, defaults: Mapping) -> None:
    """Refuse a value of another kind than its default's, from the file or as typed."""
    try:
        for section in ("training", "evaluation", "checkpoint"):
            _check_section(section, config[section], defaults[section])
    except ConfigError as error:
        raise ConfigError(f"{options.get('config', 'defaults')}: {error}") from error
    for key, text in options.items():
        overrides.check_value(key, overrides.value_of(text), OmegaConf.select(config, key))


def _trained_weights(options: Mapping[str, str], config) -> dict[str, str]:
    """Options that load the best checkpoint of ``env.save_dir``, where none are given.

    MMF would predict with random weights, and say nothing.
    """
    asked = ("checkpoint.resume", "checkpoint.resume_file", "checkpoint.resume_zoo")
    stated = config.checkpoint
    if any(key in options for key in asked) or stated.resume_file or stated.resume_zoo:
        return {}
    save_dir = Path(options.get("env.save_dir") or config.env.save_dir)
    best = save_dir / "best.ckpt"
    if not best.is_file():
        raise ConfigError(
            f"there is no trained model to predict with: no {best.resolve()}. Train one first "
            "(mmf_run with the same options), or name its file: checkpoint.resume_file=FILE"
        )
    return {"checkpoint.resume_file": str(best.resolve())}
