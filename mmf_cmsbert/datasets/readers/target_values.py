"""The labels of a segment as the dataset's targets."""

import math
from collections.abc import Mapping
from dataclasses import replace

from mmf_cmsbert.config.schemas.targets import Target, main
from mmf_cmsbert.datasets.segment import Segment


def arranged(segment: Segment, targets: Mapping[str, Target]) -> Segment:
    """Return the segment with the label of the main target, and the declared targets.

    Layouts that know several labels give all of them by name, and ``label`` the usual one. If the
    main target is among those, its value becomes the label; otherwise the label stays. Other
    labels that are no targets are dropped.

    Args:
        segment: as read from a file.
        targets: name -> target, the main one first.
    """
    if not segment.targets:
        return segment
    name, target = main(targets)
    label = segment.label
    if name in segment.targets:
        values = segment.targets[name]
        single = target.kind != "multilabel" and len(values) == 1
        label = values[0] if single and not math.isnan(values[0]) else None
    further = {each for each in targets if each != name or target.kind == "multilabel"}
    kept = {each: values for each, values in segment.targets.items() if each in further}
    return replace(segment, label=label, targets=kept)


def named_values(**values: float | None) -> dict[str, tuple[float, ...]]:
    """Return single labels as targets, those that are known."""
    return {name: (float(value),) for name, value in values.items() if value is not None}
