"""``cmsbert data new``: write the definition of a dataset, with what was found in its files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.config import definitions, reference
from mmf_cmsbert.datasets.inspection.proposal import Proposal, target_of
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.files import replace_text

_SHOWN = 8


def check_name(name: str) -> Path:
    """Return the file of a new dataset.

    Raises:
        ConfigError: the name is taken or cannot name a dataset, or the file exists.
    """
    if not name.isidentifier():
        raise ConfigError(f"{name!r} cannot name a dataset; expected letters, digits, underscores")
    file = Path(definitions.FOLDER) / f"{name}.yaml"
    if file.exists():
        raise ConfigError(f"{file} exists and is not replaced; edit it, or move it away")
    if definitions.is_shipped(name):
        raise ConfigError(f"{name} is a dataset of this package; choose another name")
    return file


def write(name: str, file: Path, sources: Sequence[str], layout: str, found: Proposal) -> None:
    """Write the definition, check it, and print what was found and what to type next."""
    text = definition(name, sources, layout, found)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_text(file, text)
    definitions.schema_of(name)  # as a run reads it
    print(f"{file}:\n\n{text}")
    for error in found.errors[:_SHOWN]:
        print(f"cannot be used: {error}")
    shown = " ".join(sources)
    print(
        f"Edit it if it is not what you want. Then type\n"
        f"  cmsbert data inspect {shown} --dataset {name}\n"
        f"  mmf_run config={recipe.OF_ANY} dataset={name}"
    )


def definition(name: str, sources: Sequence[str], layout: str, found: Proposal) -> str:
    """Return the text of the definition."""
    counts = ", ".join(f"{split} {count}" for split, count in found.segments.items())
    lines = [
        f"# {found.segments.total()} segments of {found.videos} videos, layout "
        f"{', '.join(found.layouts)}; at most {found.longest} words.",
        "# Other keys have defaults; mmf_run --help-config dataset_config.mosi explains them all.",
        "dataset_config:",
        f"  {name}:",
        f"    source: {_yaml(sources[0] if len(sources) == 1 else list(sources))}",
    ]
    if layout != "auto":
        lines.append(f"    layout: {layout}")
    if found.columns:
        lines.append(f"    columns: {_yaml(found.columns)}")
    if found.named_splits:
        lines.append(f"    # Splits of the data: {counts}.")
    else:
        lines.append("    # The data names no splits: each video is assigned at random.")
        lines.append("    split: {seed: 1, val: 0.1, test: 0.2, by: video}")
    lines += [*_features(found), *_targets(found)]
    if found.errors:
        lines.append(
            f"    # {len(found.errors)} segments cannot be used. error: stop at the first."
        )
        lines.append("    on_invalid: skip")
    return "\n".join(lines) + "\n"


def _features(found: Proposal) -> list[str]:
    if not found.widths:
        return ["    # No frames besides the text.", "    features: {}"]
    without = [f"{count} without {m}" for m, count in found.missing.items() if count]
    told = f" ({', '.join(without)})" if without else ""
    return [f"    # Columns of a frame{told}.", f"    features: {_yaml(found.widths)}"]


def _targets(found: Proposal) -> list[str]:
    target = target_of(found.labels)
    if target is None:
        return [
            "    # No labels were found; this default is for predictions only.",
            "    targets: null",
        ]
    common = found.labels.most_common(_SHOWN)
    shown = ", ".join(f"{_shown(k)} {n}" for k, n in common)
    more = ", ..." if len(found.labels) > _SHOWN else ""
    column = "".join(c if c.isalnum() else "_" for c in found.columns.get("label", "sentiment"))
    name = column if column.isidentifier() and column != "label" else "sentiment"
    lines = [f"    # Labels and their number of segments: {shown}{more}."]
    return [*lines, f"    targets:\n      {name}: {_yaml(target)}"]


def _shown(label: Any) -> str:
    if label is None:
        return "none"
    if isinstance(label, bool):
        return "yes" if label else "no"
    return " + ".join(label) or "nothing" if isinstance(label, tuple) else str(label)


def _yaml(value: Any) -> str:
    return reference.as_yaml(value)
