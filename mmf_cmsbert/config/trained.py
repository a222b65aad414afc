"""Whether a configuration computes the function that a checkpoint was trained as.

A checkpoint's weights fit many configurations (another gate, bound, pooling or number of heads),
and give other scores in each. Where this package has the schema, of CMSBERT and of MOSI and MOSEI,
every key of the section counts unless evaluation is known not to depend on it. Of other models
every key counts unless its name says that it is about training, initial weights or places. Of
other datasets no key counts, and another one may be used: their sections say where and how data is
read, and which of it a model can use is known to the model alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mmf_cmsbert.config.keys_of_training import (
    IRRELEVANT_TO_DATASET,
    IRRELEVANT_TO_MODEL,
    IRRELEVANT_TO_OTHER_MODEL,
    PRETRAINED,
)

# The sections whose schema this package has.
_OWN_MODEL, _OWN_DATASETS = "cmsbert", ("mosi", "mosei")


@dataclass(frozen=True)
class Difference:
    """A key with another value than the checkpoint was trained with.

    Attributes:
        key: dotted, from the top of the configuration.
        trained: the value in the checkpoint's configuration, None where it has no such key.
        found: the value in the configuration at hand, None where it has no such key.
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
    """The keys with values that change the scores of the same weights.

    Args:
        trained: the configuration in a checkpoint, plain containers.
        found: the configuration at hand, plain containers without references.
        same_pretrained: whether two names or folders hold the same pretrained tokenizer and
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
        if model != _OWN_MODEL and not (name in known and name in _OWN_DATASETS):
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
    """The message for a configuration that gives a checkpoint's weights another meaning.

    Args:
        found: the differences, at least one.
        file: the checkpoint.
        take: the word that takes the configuration from the checkpoint, such as
            ``env.save_dir=FOLDER``.
        training: whether the weights are to be trained on.
    """
    lines = "".join(f"\n  {each}" for each in found)
    words = " ".join(_word(each) for each in found)
    message = (
        f"{file} was trained with another configuration, and its weights would compute something "
        f"else:{lines}\nType {words}\nor take the whole configuration from the checkpoint: type "
        f"{take} without config=... and without these keys."
    )
    if training:
        message += " To train on with the new values anyway, type checkpoint.reset.all=true"
    return message


def datasets(config: Mapping[str, Any]) -> list[str]:
    """The names of the datasets in use."""
    names = config.get("datasets") or config.get("dataset") or ()
    names = names.split(",") if isinstance(names, str) else names
    return [str(name).strip() for name in names]


def features(config: Mapping[str, Any]) -> dict[str, dict[str, int | None]]:
    """Dataset -> modality -> width of the frames that a configured model is built for."""
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


def _canonical_model(config: Mapping[str, Any]) -> dict[str, Any]:
    """The model's section with values that mean the same written in the same way."""
    section = (config.get("model_config") or {}).get(config.get("model"))
    if not isinstance(section, Mapping):
        return {"": section}
    section = dict(section)
    if config.get("model") != _OWN_MODEL:
        return section
    section["features"] = features(config)
    if (modalities := section.get("modalities")) is not None:
        names = modalities.split(",") if isinstance(modalities, str) else modalities
        section["modalities"] = sorted({"text", *map(str, names)})
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
        # A key that only one of them knows, of another release, is at its default: none.
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
