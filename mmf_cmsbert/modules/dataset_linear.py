"""A linear map whose input width depends on the dataset that a batch comes from."""

from collections.abc import Mapping

from torch import Tensor, nn


class DatasetLinear(nn.Module):
    """One linear map per dataset into a common space: MOSI's and MOSEI's features differ in width.

    Args:
        widths: input width for each dataset name.
        dim: output width, the same for all.
    """

    def __init__(self, widths: Mapping[str, int], dim: int):
        super().__init__()
        self.maps = nn.ModuleDict({name: nn.Linear(width, dim) for name, width in widths.items()})

    def linears(self) -> list[nn.Linear]:
        """Return the linear map of each dataset."""
        return [each for each in self.maps.values() if isinstance(each, nn.Linear)]

    def forward(self, inputs: Tensor, dataset: str) -> Tensor:
        """Map ``(..., widths[dataset])`` to ``(..., dim)``.

        Raises:
            KeyError: the dataset is unknown.
        """
        return self.maps[dataset](inputs)
