"""Select the weights that a run loads, and check that its configuration matches them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.config import kept_configuration, trained
from mmf_cmsbert.config.splits import trains
from mmf_cmsbert.config.words import value_of
from mmf_cmsbert.errors import ConfigError


def to_evaluate(
    options: Mapping[str, str], stated: Mapping[str, Any], folders: Iterable[Path], run: bool
) -> dict[str, str]:
    """Return options that load trained weights for a run that does not train.

    Without them MMF evaluates random weights without a warning.

    Args:
        options: key -> value as typed.
        stated: the section ``checkpoint`` of the configuration.
        folders: folders in which ``best.ckpt`` is searched for, in this order.
        run: whether the configuration is that of a finished run; then the weights that the run
            started from are ignored.

    Raises:
        ConfigError: there is no checkpoint.
    """
    # A copied part of a checkpoint is only useful in training; the other weights are random.
    whole = {"checkpoint.resume_pretrained": "False"} if stated["resume_pretrained"] else {}
    named = [key for key in ("resume_file", "resume_zoo") if _typed(options, key)]
    if not named and not run and not whole:
        named = [key for key in ("resume_file", "resume_zoo") if stated[key]]
    if named:
        return whole
    resume = value_of(options.get("checkpoint.resume", str(stated["resume"])))
    names = ("current.ckpt", "best.ckpt") if resume is True else ("best.ckpt",)
    folders = list(dict.fromkeys(folders))
    found = [folder / name for folder in folders for name in names if (folder / name).is_file()]
    if not found:
        places = " or ".join(str(folder.resolve()) for folder in folders)
        raise ConfigError(
            f"there is no trained model to evaluate: no {' or '.join(names)} in {places}. Train "
            "one first (mmf_run with the same options), or name a run or a checkpoint: "
            "env.save_dir=FOLDER or checkpoint.resume_file=FILE"
        )
    return whole if resume is True else whole | {"checkpoint.resume_file": str(found[0].resolve())}


def to_load(config: Mapping[str, Any], save_dir: Path) -> tuple[Path, str] | None:
    """Return the checkpoint that a run loads, and the argument that uses its configuration.

    Args:
        config: the run's configuration.
        save_dir: the run's folder.

    Returns:
        None if the run starts with new weights, a part of a checkpoint, or a model of MMF's zoo.
    """
    options = config["checkpoint"]
    if str(options["resume"]).lower() in ("true", "1"):
        names = ["current.ckpt", "best.ckpt"]
        if str(options["resume_best"]).lower() in ("true", "1"):
            names.reverse()
        for name in names:
            if (save_dir / name).is_file():
                return save_dir / name, f"env.save_dir={save_dir} checkpoint.resume=true"
    if not options["resume_file"] or copies_a_part(options):
        return None
    file = Path(options["resume_file"]).expanduser()
    if file.name == "best.ckpt" and file.parent.absolute() == save_dir.absolute():
        return file, f"env.save_dir={save_dir}"
    return file, f"checkpoint.resume_file={file}"


def copies_a_part(options: Mapping[str, Any]) -> bool:
    """Return whether ``checkpoint`` sets ``pretrained_state_mapping`` to copy a part only."""
    return bool(options["resume_pretrained"] and options["pretrained_state_mapping"])


def widths_of_other_datasets(kept: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, str]:
    """Return the option to build a model for all datasets that it was trained on.

    Needed if not all of them are in use, because the model has weights for each.

    Args:
        kept: the configuration in its checkpoint.
        found: the current configuration.
    """
    own = (found["model_config"].get(found["model"]) or {}).get("features")
    widths = trained.features(kept)
    used = set(trained.datasets(found))
    if kept.get("model") != found["model"] or own or not used < set(widths):
        return {}
    return {f"model_config.{found['model']}.features": repr(widths)}


def check(
    found: Mapping[str, Any],
    kept: Mapping[str, Any] | None,
    defaults: Mapping[str, Any],
    file: Path,
    take: str,
) -> list[str]:
    """Refuse a configuration with which a checkpoint's weights compute something else.

    Args:
        found: the current configuration, resolved, plain containers.
        kept: the configuration in the checkpoint; None if it has none.
        defaults: as for :func:`kept_configuration.check`.
        file: the checkpoint.
        take: as in :func:`to_load`.

    Returns:
        Warnings.

    Raises:
        ConfigError: it lists each key, the value trained with and the current value.
    """
    if kept is None:
        return [
            f"{file} contains no configuration of this package, so it could not be compared with "
            "the current one"
        ]
    training = trains(str(found["run_type"]))
    if training:
        _check_frozen(found, kept, file)
    if training and found["checkpoint"]["reset"]["all"]:
        try:
            return kept_configuration.check(kept, found, defaults, file, take, training)
        except ConfigError as error:
            return [str(error).split("\nType ")[0]]
    return kept_configuration.check(kept, found, defaults, file, take, training)


def _check_frozen(found: Mapping[str, Any], kept: Mapping[str, Any], file: Path) -> None:
    """Refuse to resume if the backbone was frozen and is not now, or the other way round.

    The optimizer has no state for the parameters of a frozen backbone.
    """
    reset = found["checkpoint"]["reset"]
    if found["model"] != "cmsbert" or reset["all"] or reset["optimizer"]:
        return
    key = "model_config.cmsbert.finetune_lr_multiplier"
    rates = [
        ((config.get("model_config") or {}).get("cmsbert") or {}).get("finetune_lr_multiplier", 1)
        for config in (kept, found)
    ]
    if kept.get("model") == "cmsbert" and (rates[0] == 0) != (rates[1] == 0):
        was, now = ("frozen" if rate == 0 else "trained" for rate in rates)
        raise ConfigError(
            f"{key} is {rates[1]} (the backbone is {now}); {file} was trained with {rates[0]} "
            f"(the backbone was {was}), and its optimizer state does not fit. Type "
            f"{key}={rates[0]} to resume, or start a new run with its weights: "
            f"checkpoint.resume_file={file} checkpoint.reset.all=true env.save_dir=FOLDER"
        )


def _typed(options: Mapping[str, str], key: str) -> Any:
    return value_of(options.get(f"checkpoint.{key}", "None"))
