"""Complete a command line from its configuration file and check it, before MMF builds anything."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmf_cmsbert.checkpoints import trained_with
from mmf_cmsbert.config import (
    overrides,
    preflight,
    references,
    run_check,
    run_folder,
    run_length,
    shipped,
    splits,
    target_defaults,
    typed_source,
    weights,
    words,
)
from mmf_cmsbert.config.layers import Layers
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import check_regular
from mmf_cmsbert.paths import PACKAGE

_EXAMPLES = {"model": "cmsbert", "dataset": "mosi", "datasets": "mosi,mosei"}
_OVERRIDE = "--config_override"


@dataclass(frozen=True)
class Completion:
    """A command line that MMF can run.

    Attributes:
        options: key -> value.
        config: the configuration that results from the options, references unresolved.
        override: the content of MMF's option --config_override, with keys that options add.
    """

    options: dict[str, str]
    config: DictConfig
    override: Mapping[str, Any]

    def resolved(self) -> dict[str, Any]:
        """Return the configuration in plain containers, each reference replaced by its value."""
        return _plain(self.config, resolve=True)


def complete(
    options: Mapping[str, str],
    predict: bool = False,
    override: Mapping[str, Any] | None = None,
    only_look: bool = False,
) -> Completion:
    """Complete the options with model, datasets and the full path of the configuration file.

    MMF requires these on the command line.

    Args:
        options: key -> value as typed.
        predict: whether the run predicts, which requires a trained model.
        override: the content of MMF's option --config_override.
        only_look: whether the configuration will not be run; then its folder is neither created
            nor checked.

    Raises:
        ConfigError: a file, model, dataset or key does not exist; a value is invalid; there is no
            trained model to predict with.
    """
    if not options:
        raise ConfigError(
            "nothing to run; type for example mmf_run config=projects/cmsbert/mosi.yaml, or "
            "mmf_run --help"
        )
    try:
        return _complete(Layers(), dict(options), predict, override or {}, only_look)
    except (OmegaConfBaseException, RecursionError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ConfigError(f"the configuration cannot be used: {reason[:300]}") from error


def _complete(
    layers: Layers,
    options: dict[str, str],
    predict: bool,
    override: Mapping[str, Any],
    only_look: bool,
) -> Completion:
    from mmf.utils.configuration import load_yaml

    file: Mapping[str, Any] = {}
    if "config" in options:
        options["config"] = str(config_file(options["config"]))
    run = run_folder.named_run(options)
    if run is not None:
        options = _with_configuration_of(layers, run, options, predict)
    elif predict:
        run_folder.check_named(options)
    if "config" in options:
        file = load_yaml(options["config"])
        if not file:
            raise ConfigError(
                f"{options['config']}: expected a configuration with keys and values, found none"
            )
    options["model"] = options.get("model") or _named(file, "model")
    given = options.pop("datasets", None) or options.get("dataset")
    options["dataset"] = given or _named(file, "dataset", "datasets")
    if save_dir := os.environ.get("MMF_SAVE_DIR"):
        options.setdefault("env.save_dir", save_dir)
    datasets = options["dataset"].split(",")

    values = {key: words.value_of(text) for key, text in options.items()}
    options |= {key: str(value) for key, value in run_length.typed(values, override).items()}
    preflight.import_user_dir(options, file)
    preflight.check_names(options["model"], datasets, file.get("dataset_config"))
    options |= typed_source.complete(options, predict)
    source = options.get("config", "")
    defaults = layers.defaults(options["model"], datasets)
    preflight.check_sections(file, source, defaults)
    preflight.check_sections(override, _OVERRIDE, defaults)
    stated = layers.over(defaults, file)
    if added := overrides.added(options, layers.over(stated, override)):
        merged = layers.over(OmegaConf.create(dict(override)), added)
        override = cast(dict[str, Any], OmegaConf.to_container(merged))
        options = {key: text for key, text in options.items() if not _holds(added, key)}
    options |= target_defaults.complete(options, layers.over(stated, override), datasets)
    ours = options["model"] == "cmsbert"
    known = {key: value for key, value in options.items() if key != "dataset"}
    overrides.check(known, stated, sections=not ours, defaults=defaults)
    config = layers.with_options(layers.over(stated, override), options)
    references.check(config)
    # Configurations of other models may contain keys and values that only these models define.
    run_check.check(
        _plain(config, resolve=True),
        _plain(defaults),
        _plain(stated),
        _sources(options, override),
        whole=ours,
    )
    folder = Path(config.env.save_dir)
    if not only_look:
        preflight.check_save_dir(folder)
    more: dict[str, str] = {}
    if predict:
        more = {"evaluation.predict": "True", "run_type": _predicted(options)}
    if predict or (ours and not splits.trains(str(config.run_type))):
        folders = [folder, *([run.folder] if run else [])]
        more |= weights.to_evaluate(options, stated.checkpoint, folders, run is not None)
    options |= more
    config = layers.with_options(config, more)
    more = _check_weights(_plain(config, resolve=True), options, folder)
    return Completion(options | more, layers.with_options(config, more), override)


def _with_configuration_of(
    layers: Layers, run: run_folder.Snapshot, options: dict[str, str], predict: bool
) -> dict[str, str]:
    """Return options whose ``config`` is the run's configuration."""
    names = run.model_and_datasets() | {k: options[k] for k in ("dataset",) if k in options}
    preflight.import_user_dir(options, run.content)
    datasets = names["dataset"].split(",")
    preflight.check_names(names["model"], datasets, run.content.get("dataset_config"))
    file = run.as_file(layers.defaults(names["model"], datasets))
    return options | {"config": str(file)} | run.own_folder(options, predict)


def _predicted(options: Mapping[str, str]) -> str:
    """Return the ``run_type`` of a prediction: the typed splits, or ``predict`` for test."""
    run_type = options.get("run_type", "predict")
    if splits.trains(run_type):
        raise ConfigError(
            f"run_type={run_type}: mmf_predict does not train; expected val, test or val_test"
        )
    return run_type


def _check_weights(
    found: Mapping[str, Any], options: Mapping[str, str], save_dir: Path
) -> dict[str, str]:
    """Check that the weights to load were trained with this configuration.

    Returns:
        Options to add.
    """
    if (load := weights.to_load(found, save_dir)) is None:
        return {}
    file, take = load
    if not file.exists():
        return {}  # it may be a name in MMF's zoo
    kept = trained_with.configuration(file)
    more = weights.widths_of_other_datasets(kept, found) if kept else {}
    for key, text in more.items():
        found = _with_value(found, key.split("."), words.value_of(text))
    defaults = shipped.defaults_of(options["model"], options["dataset"].split(","))
    weights.check(found, kept, defaults, file, take)  # warnings are logged when they are loaded
    return more


def _with_value(section: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    first, *rest = path
    return {**section, first: _with_value(section[first], rest, value) if rest else value}


def _sources(options: Mapping[str, str], override: Mapping[str, Any]) -> Callable[[str], str]:
    """Return a function: key -> the file that sets it; empty for the command line."""

    def source(key: str) -> str:
        if any(f"{key}.".startswith(f"{each}.") for each in options):
            return ""
        return _OVERRIDE if _holds(override, key) else options.get("config", "defaults")

    return source


def _holds(section: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(section, Mapping) or part not in section:
            return False
        section = section[part]
    return True


def _plain(config: DictConfig, resolve: bool = False) -> dict[str, Any]:
    content: Any = OmegaConf.to_container(config, resolve=resolve)
    return dict(content)


def config_file(name: str) -> Path:
    """Find the file of ``config=`` in the working folder, this package, or MMF."""
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


def _named(file: Mapping[str, Any], *keys: str) -> str:
    """Return the value of the first of ``keys`` in the file, as names separated by commas."""
    for key in keys:
        value = file.get(key)
        if not value:
            continue
        names = [value] if isinstance(value, str) else value
        if isinstance(names, Sequence) and all(isinstance(name, str) for name in names):
            return ",".join(names)
        raise ConfigError(f"{key} is {value!r}; expected a name, as in {key}: {_EXAMPLES[key]}")
    raise ConfigError(
        f"{keys[0]} is missing: set it in the configuration file, or type {keys[0]}=NAME"
    )
