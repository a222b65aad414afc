"""Complete epochs over one or several datasets, which can be resumed in the middle."""

from typing import Any

from mmf.datasets import multi_dataset_loader
from mmf.datasets.multi_dataset_loader import MultiDatasetLoader

from mmf_cmsbert.checkpoints.batch_stream import BatchStream
from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf.positions import fingerprint, resume_epoch
from mmf_cmsbert.compat.mmf.splits import empty_dataset
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import DataError


class Epoch:
    """One epoch over all datasets of a MultiDatasetLoader.

    Args:
        owner: the loader, which chooses the dataset of the next batch.
        position: the start, as returned by :meth:`position`; None for the beginning.
    """

    def __init__(self, owner: MultiDatasetLoader, position: dict[str, Any] | None = None):
        self.owner = owner
        self.exhausted = False
        kept = position["streams"] if position else [{}] * len(owner.loaders)
        self.streams = [
            BatchStream(loader, **state) for loader, state in zip(owner.loaders, kept, strict=True)
        ]
        # The owner chooses one of these after each batch (`change_dataloader`).
        owner._iterators = self.streams
        owner._finished_iterators = dict.fromkeys(position["finished"], 1) if position else {}
        owner._used_once = dict.fromkeys(position["used"], 1) if position else {}
        if position:
            _choose(owner, position["next"])
        elif self.streams:
            owner.change_dataloader()

    def __iter__(self) -> "Epoch":
        return self

    def __next__(self) -> Any:
        owner = self.owner
        while self.streams and not self.exhausted:
            index = owner.current_index
            try:
                batch = next(self.streams[index])
            except StopIteration:
                owner._finished_iterators[index] = 1
                # Without proportional sampling MMF ends an epoch when the first dataset is
                # finished, provided that each dataset has been used.
                all_used = len(owner._used_once) == owner.num_datasets
                all_finished = len(owner._finished_iterators) == owner.num_datasets
                self.exhausted = all_finished or (all_used and not owner._proportional_sampling)
                if not self.exhausted:
                    owner.change_dataloader()
            else:
                owner._used_once[index] = 1
                return batch
        raise StopIteration

    def position(self) -> dict[str, Any] | None:
        """Return the argument of an `Epoch` that resumes here, in plain values; None at the end."""
        if self.exhausted:
            return None
        owner = self.owner
        return {
            "streams": [stream.position() for stream in self.streams],
            "finished": [int(index) for index in owner._finished_iterators],
            "used": [int(index) for index in owner._used_once],
            "next": int(owner.current_index),
            "data": fingerprint(owner.datasets),
        }

    def close(self) -> None:
        for stream in self.streams:
            stream.close()


class WholePassesLoader(MultiDatasetLoader):
    """rc10's loader with complete epochs, which can be resumed in the middle."""

    resume_position: dict[str, Any] | None = None
    epoch: Epoch | None = None

    def build_datasets(self, config: Any) -> None:
        self._num_datasets = None
        try:
            super().build_datasets(config)
        except (IndexError, ZeroDivisionError):
            # MMF reads the first dataset, and divides by the number of samples.
            if self._num_datasets is None or self._total_length > 0:
                raise  # an error of a dataset
            self._proportional_sampling = True
        for dataset in self.datasets:
            if len(dataset) == 0:
                raise DataError(empty_dataset(dataset.name, self.dataset_type))

    def build_dataloaders(self) -> None:
        if self.datasets:
            super().build_dataloaders()

    def __len__(self) -> int:
        # MMF divides the number of samples by the batch size, rounding down.
        return sum(map(len, self.loaders))

    def __iter__(self) -> Epoch:
        position, self.resume_position = self.resume_position, None
        self.epoch = Epoch(self, position)
        return self.epoch

    def __next__(self) -> Any:
        assert self.epoch is not None
        return next(self.epoch)

    def resume_epoch(self, position: dict[str, Any]) -> bool:
        """Start the next epoch at a position; return whether the position is valid."""
        return resume_epoch(self, position, fingerprint(self.datasets))


@patch(
    "mmf.datasets.multi_dataset_loader.MultiDatasetLoader",
    "rc10",
    why="It keeps the iterators of the first epoch and its list of finished datasets, so that the "
    "second epoch over several datasets ends at once or never. With three or more datasets an "
    "epoch may end while one of them still has batches. Its length excludes an incomplete last "
    "batch. A split that no dataset has raises an IndexError even if the run does not need it. MMF "
    "creates this class by name.",
    remove_when="support for rc10 ends.",
)
def whole_passes() -> None:
    imports.replace_function(
        multi_dataset_loader, "MultiDatasetLoader", lambda original: WholePassesLoader
    )


def _choose(owner: MultiDatasetLoader, index: int) -> None:
    owner.current_index = index
    owner.current_dataset = owner.datasets[index]
    owner.current_loader = owner.loaders[index]
    owner._chosen_iterator = owner.iterators[index]
