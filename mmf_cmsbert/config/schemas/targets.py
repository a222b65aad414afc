"""``targets``: what is predicted of a segment, by name."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from mmf_cmsbert.config.schemas.section import Expected, Section
from mmf_cmsbert.config.schemas.validation import problems


class RegressionTarget(Section):
    """A number between two limits."""

    kind: Literal["regression"] = Field(default="regression", description="A number.")
    low: float = Field(default=-3.0, description="The lowest label.")
    high: float = Field(default=3.0, description="The highest label.")
    names: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _ordered(self) -> "RegressionTarget":
        if self.low >= self.high:
            raise ValueError(
                f"{{key}}.low is {self.low:g} and {{key}}.high is {self.high:g}; expected low < "
                "high"
            )
        return self

    @property
    def outputs(self) -> int:
        """Number of outputs of its head."""
        return 1

    def expected(self) -> str:
        """The valid labels in words."""
        return f"a number in [{self.low:g}, {self.high:g}]"


class _NamedTarget(Section):
    kind: str
    names: list[Annotated[str, Field(min_length=1)]] = Field(description="")

    @model_validator(mode="after")
    def _distinct(self) -> "_NamedTarget":
        folded = [name.casefold() for name in self.names]
        if twice := [name for name in self.names if folded.count(name.casefold()) > 1]:
            raise ValueError(f"{{key}}.names contains {twice[0]!r} twice; expected distinct names")
        return self

    @property
    def outputs(self) -> int:
        """Number of outputs of its head."""
        return len(self.names)


class ClassesTarget(_NamedTarget):
    """One of several classes."""

    kind: Literal["classes"] = Field(description="One of several classes.")
    names: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(min_length=2),
        Expected("the names of at least two classes, as in [negative, positive]"),
    ] = Field(description="Names of the classes, in the order of their numbers.")

    def expected(self) -> str:
        """The valid labels in words."""
        return f"one of {', '.join(self.names)}, or its number from 0 to {len(self.names) - 1}"


class MultilabelTarget(_NamedTarget):
    """Any number of several labels."""

    kind: Literal["multilabel"] = Field(description="Any number of several labels.")
    names: Annotated[
        list[Annotated[str, Field(min_length=1)]],
        Field(min_length=1),
        Expected("the names of the labels, as in [happy, sad]"),
    ] = Field(description="Names of the labels, in the order of their numbers.")

    def expected(self) -> str:
        """The valid labels in words."""
        return f"0 or 1 for each of {', '.join(self.names)}"


Target = RegressionTarget | ClassesTarget | MultilabelTarget
KINDS: dict[str, type[RegressionTarget | ClassesTarget | MultilabelTarget]] = {
    "regression": RegressionTarget,
    "classes": ClassesTarget,
    "multilabel": MultilabelTarget,
}
# The targets of a dataset that declares none.
SENTIMENT: dict[str, Target] = {"sentiment": RegressionTarget()}
_NAMED = "a name of letters, digits and underscores that does not start with a digit"
# Names of other fields of a segment.
_OTHER_FIELDS = ("id", "video", "text", "words", "label", "start", "end", "metadata")
EXAMPLE = "{sentiment: {kind: regression, low: -1, high: 1}}"


def _checked(given: Any) -> Any:
    """Validate each target by the schema of its kind, so that messages name the wrong key."""
    if not isinstance(given, Mapping):
        return given
    found: list[str] = []
    for name, section in given.items():
        key = f"{{key}}.{name}"
        if not (isinstance(name, str) and name.isidentifier()):
            found.append(f"{key}: {name!r} cannot name a target; expected {_NAMED}")
        elif name in _OTHER_FIELDS:
            found.append(
                f"{key}: {name} is another field of a segment; expected a name such as "
                f"sentiment_{name}"
            )
        elif section is None or isinstance(section, Section):
            continue
        elif not isinstance(section, Mapping):
            found.append(f"{key} is {section!r}; expected a section, as in {EXAMPLE}, or null")
        elif (schema := KINDS.get(str(section.get("kind", "regression")))) is None:
            found.append(f"{key}.kind is {section['kind']!r}; expected one of {', '.join(KINDS)}")
        else:
            found += [each.text for each in problems(schema, section, key)]
    if not found and not any(section is not None for section in given.values()):
        found.append(f"{{key}} names no target; expected at least one, as in {EXAMPLE}, or null")
    if found:
        raise ValueError("; ".join(found))
    return {
        name: {"kind": "regression", **section} if isinstance(section, Mapping) else section
        for name, section in given.items()
    }


# Name -> target, the main one first; None leaves a target of the defaults out.
Targets = Annotated[
    dict[str, Annotated[Target, Field(discriminator="kind")] | None],
    BeforeValidator(_checked),
    Expected(f"a section of targets, as in {EXAMPLE}"),
]


def _of_datasets(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    found = {}
    for dataset, targets in given.items():
        try:
            found[dataset] = _checked(targets)
        except ValueError as error:
            raise ValueError(str(error).replace("{key}", f"{{key}}.{dataset}")) from error
    return found


# Dataset -> targets.
TargetsOfDatasets = Annotated[
    dict[str, Targets | None],
    BeforeValidator(_of_datasets),
    Expected(f"the targets of each dataset, as in {{mosi: {EXAMPLE}}}"),
]


def named(targets: Mapping[str, Target | None] | None) -> dict[str, Target]:
    """Return the targets that are predicted, the main one first.

    >>> named(None)["sentiment"].expected()
    'a number in [-3, 3]'

    Args:
        targets: name -> target, None to leave it out; None for sentiment in [-3, 3].
    """
    if targets is None:
        return dict(SENTIMENT)
    return {name: target for name, target in targets.items() if target is not None}


def main(targets: Mapping[str, Target]) -> tuple[str, Target]:
    """Return the name and definition of the main target, which is the first."""
    return next(iter(targets.items()))


def score_field(name: str | None = None) -> str:
    """Return the key of a target's scores in the model's output; None for the main target."""
    return f"scores_{name}" if name else "scores"


def label_field(name: str | None = None) -> str:
    """Return the key of a target's labels in a batch; None for the main target."""
    return f"targets_{name}" if name else "targets"
