"""MMF's trainers with the features of this package, registered under MMF's names."""

from typing import Any

from mmf_cmsbert.compat.mmf import trainers
from mmf_cmsbert.trainers.features import RunFeatures


def with_features(trainer: type[Any]) -> type[Any]:
    """A trainer class with all features in front of it, and its name."""
    body = {"__doc__": trainer.__doc__, "__module__": __name__}
    return type(trainer.__name__, (RunFeatures, trainer), body)


for _name, _trainer in trainers.of_line().items():
    trainers.serve(_name, with_features(_trainer))
