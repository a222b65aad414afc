"""Compare a configuration with the one that a checkpoint was trained with.

A checkpoint's weights can be loaded with many configurations (another gate, beta, pooling or number
of heads), with different scores. These keys are compared:

- CMSBERT and the shipped datasets, whose schemas are in this package: every key, except those that
  do not affect evaluation.
- Other models: every key, except those whose names refer to training, initial weights or paths.
- Other datasets: no key, and other datasets may be used, because only the model knows which
  properties of the data it depends on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mmf_cmsbert.config import definitions
from mmf_cmsbert.config.keys_of_training import (
    IRRELEVANT_TO_DATASET,
    IRRELEVANT_TO_MODEL,
    IRRELEVANT_TO_OTHER_MODEL,
    PRETRAINED,
)
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig

_OWN_MODEL = "cmsbert"  # its schema is in this package


@dataclass(frozen=True)
class Difference:
    """A key whose value differs from the one that the checkpoint was trained with.

    Attributes:
        key: the dotted key.
        trained: the value in the checkpoint's configuration, None if it lacks the key.
        found: the value in the current configuration, None if it lacks the key.
    """

    key: str
    trained: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.key} is {_text(self.found)}; trained with {_text(self.trained)}"


def differences(
    trained: Mapping[str, Any],
    found: Mapping[str, Any],
    same_pretrained: Callable[[str, str], bool] = lambda trained, found: trained == found,
) -> list[Difference]:
    """Return the keys whose differing values change the scores of the same weights.

    Args:
        trained: the configuration in a checkpoint, plain containers.
        found: the current configuration, plain containers without references.
        same_pretrained: whether two names or folders contain the same pretrained tokenizer and
            architecture.
    """
    model = trained.get("model")
    if model != found.get("model"):
        return [Difference("model", model, found.get("model"))]
    result: list[Difference] = []
    result += _compare(
        f"model_config.{model}",
        _canonical_model(trained),
        _canonical_model(found),
        IRRELEVANT_TO_MODEL if model == _OWN_MODEL else IRRELEVANT_TO_OTHER_MODEL,
    )
    known = datasets(trained)
    for name in datasets(found):
        # CMSBERT has weights for the widths of each dataset that it was trained on; others may not.
        if model != _OWN_MODEL and not (name in known and definitions.find(name)):
            continue
        key = f"dataset_config.{name}"
        if name not in known:
            result.append(Difference("dataset", ",".join(known), name))
            continue
        result += _compare(
            key,
            _canonical_dataset(trained, name),
            _canonical_dataset(found, name),
            IRRELEVANT_TO_DATASET,
        )
    return [each for each in result if not _moved(each, same_pretrained)]


def refusal(found: list[Difference], file: str, take: str, training: bool) -> str:
    """Return the error message for a configuration that does not match a checkpoint.

    Args:
        found: the differences, at least one.
        file: the checkpoint.
        take: the argument that uses the checkpoint's configuration, such as
            ``env.save_dir=FOLDER``.
        training: whether training of the weights continues.
    """
    lines = "".join(f"\n  {each}" for each in found)
    words = " ".join(_word(each) for each in found)
    message = (
        f"{file} was trained with another configuration; with this one its weights compute "
        f"something else:{lines}\nType {words}\nor use the whole configuration of the checkpoint: "
        f"type {take} without config=... and without these keys."
    )
    if training:
        message += " To continue training with the new values, type checkpoint.reset.all=true"
    return message


def datasets(config: Mapping[str, Any]) -> list[str]:
    """Return the names of the datasets in use."""
    names = config.get("datasets") or config.get("dataset") or ()
    names = names.split(",") if isinstance(names, str) else names
    return [str(name).strip() for name in names]


def features(config: Mapping[str, Any]) -> dict[str, dict[str, int | None]]:
    """Return the frame widths that a model is built for: dataset -> modality -> width."""
    model = (config.get("model_config") or {}).get(config.get("model")) or {}
    given = model.get("features") if isinstance(model, Mapping) else None
    if not given:
        sections = config.get("dataset_config") or {}
        given = {name: (sections.get(name) or {}).get("features") for name in datasets(config)}
    return {
        name: {modality: width or None for modality, width in each.items()}
        for name, each in given.items()
        if isinstance(each, Mapping)
    }


def heads(config: Mapping[str, Any]) -> CMSBERTConfig:
    """Return the targets and heads of a run's configuration; other keys have their defaults."""
    section = (config.get("model_config") or {}).get(_OWN_MODEL) or {}
    targets = section.get("targets")
    if not targets:
        sections = config.get("dataset_config") or {}
        targets = {name: (sections.get(name) or {}).get("targets") for name in datasets(config)}
    head = {"classes": (section.get("head") or {}).get("classes")}
    return CMSBERTConfig.model_validate({"targets": targets or None, "head": head, "losses": []})


def _canonical_model(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the model's section with equivalent values in one canonical form."""
    section = (config.get("model_config") or {}).get(config.get("model"))
    if not isinstance(section, Mapping):
        return {"": section}
    section = dict(section)
    if config.get("model") != _OWN_MODEL:
        return section
    section["features"] = features(config)
    # A list, because the first target has the head `head`.
    section["targets"] = [[name, each.plain()] for name, each in heads(config).heads().items()]
    widths = [each for by_modality in section["features"].values() for each in by_modality.items()]
    declared = dict.fromkeys(modality for modality, width in widths if width)
    names = section.get("modalities")
    names = names.split(",") if isinstance(names, str) else names
    section["modalities"] = sorted({"text", *(m for m in declared if names is None or m in names)})
    contrastive = dict(section.get("contrastive") or {})
    pairs = contrastive.get("pairs")
    if pairs is None:  # in the model's order; a file may have another
        first = ("visual", "acoustic")
        others = sorted(set(declared).difference(first))
        pairs = [["text", m] for m in (*filter(declared.__contains__, first), *others)]
    known = {"text", *declared}
    contrastive["pairs"] = [pair for pair in pairs if known.issuperset(pair)]
    section["contrastive"] = contrastive
    shift = dict(section.get("shift") or {})
    if shift.get("start") == "auto":
        shift["start"] = "mag" if shift.get("context") == "word" else "identity"
    section["shift"] = shift
    return section


def _canonical_dataset(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = dict((config.get("dataset_config") or {}).get(name) or {})
    if isinstance(section.get("features"), Mapping):
        section["features"] = {m: width or None for m, width in section["features"].items()}
    return section


def _compare(
    key: str, trained: Any, found: Any, irrelevant: tuple[str, ...]
) -> Iterator[Difference]:
    prefix = len(key) + 1
    before, now = dict(_leaves(trained, key)), dict(_leaves(found, key))
    for each in dict.fromkeys([*before, *now]):
        below = each[prefix:]
        if any(fnmatchcase(below, p) or fnmatchcase(below, f"{p}.*") for p in irrelevant):
            continue
        # A key that only one of them has, from another release, counts as None, its default.
        was, is_now = before.get(each), now.get(each)
        if was != is_now:
            yield Difference(each, was, is_now)


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, below in value.items():
            yield from _leaves(below, f"{key}.{name}" if name else key)
    else:
        yield key, None if value == {} else value


def _moved(each: Difference, same_pretrained: Callable[[str, str], bool]) -> bool:
    both = isinstance(each.trained, str) and isinstance(each.found, str)
    named = any(fnmatchcase(each.key, pattern) for pattern in PRETRAINED)
    return both and named and same_pretrained(each.trained, each.found)


def _word(each: Difference) -> str:
    word = f"{each.key}={_text(each.trained)}"
    return f'"{word}"' if any(c in word for c in " [{") else word


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k}: {_text(v)}' for k, v in value.items())}}}"
    return str(value)
