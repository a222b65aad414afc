"""Columns of a Hugging Face dataset with the labels of declared targets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmf_cmsbert.config.schemas.targets import MultilabelTarget, Target, main
from mmf_cmsbert.datasets.readers.target_values import plain_name
from mmf_cmsbert.datasets.stores.columns import TARGET


@dataclass(frozen=True)
class TargetColumns:
    """The columns with labels of declared targets.

    Attributes:
        main: the main target, of the column of labels.
        of: column -> the target or label that it is named after.
        features: column -> type of the library ``datasets``.
    """

    main: str
    of: Mapping[str, str]
    features: Mapping[str, Any]

    def read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of a row by the names of targets and labels; column -> value."""
        found = {name: self.decoded(column, values[column]) for column, name in self.of.items()}
        return {name: value for name, value in found.items() if value is not None}

    def decoded(self, column: str, value: Any) -> Any:
        """Return a value with the names of classes instead of their numbers in the dataset."""
        kind = self.features[column]
        if isinstance(value, list):
            kind = getattr(kind, "feature", None)
            return [_decoded(kind, each) for each in value]
        return _decoded(kind, value)


def target_columns(
    features: Mapping[str, Any], named: Mapping[str, str], targets: Mapping[str, Target]
) -> TargetColumns:
    """Find the columns of targets and of the names of several labels.

    Args:
        features: column -> type of the library ``datasets``.
        named: field -> column, as the user names them; also of targets.
        targets: the declared targets, the main one first.
    """
    of = {named[name]: name for name in targets if name in named}
    columns = {plain_name(name): name for name in features if name not in named.values()}
    wanted: dict[str, tuple[str, ...]] = {
        name: (name, f"{TARGET}{name}") for name in targets if name not in named
    }
    for target in targets.values():
        if isinstance(target, MultilabelTarget):
            wanted |= {name: (name,) for name in target.names}
    for name, synonyms in wanted.items():
        for each in map(plain_name, synonyms):
            if each in columns:
                of.setdefault(columns[each], name)
    return TargetColumns(main(targets)[0], of, features)


def _decoded(kind: Any, value: Any) -> Any:
    names = getattr(kind, "names", None)
    if names is None or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None  # -1: without a label
