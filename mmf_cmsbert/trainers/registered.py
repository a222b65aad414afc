"""MMF's trainers with the features of this package, registered under MMF's names."""

from typing import Any

from mmf_cmsbert.compat.mmf import trainers
from mmf_cmsbert.trainers.features import RunFeatures


def with_features(trainer: type[Any]) -> type[Any]:
    """Return a subclass of a trainer with all features and the same name."""
    body = {"__doc__": trainer.__doc__, "__module__": __name__}
    return type(trainer.__name__, (RunFeatures, trainer), body)


for _name, _trainer in trainers.installed().items():
    trainers.replace(_name, with_features(_trainer))
