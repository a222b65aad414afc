"""Passes over one or several datasets, each of them whole, that resume in the middle."""

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
    """One pass over all datasets of a MultiDatasetLoader, which chooses the next one.

    Args:
        position: where to begin, as `position` returned it; None for the beginning.
    """

    def __init__(self, owner: MultiDatasetLoader, position: dict | None = None):
        self.owner = owner
        self.exhausted = False
        kept = position["streams"] if position else [{}] * len(owner.loaders)
        self.streams = [
            BatchStream(loader, **state) for loader, state in zip(owner.loaders, kept, strict=True)
        ]
        # The owner chooses among these (`change_dataloader`) after each batch.
        owner._iterators = self.streams
        owner._finished_iterators = dict.fromkeys(position["finished"], 1) if position else {}
        owner._used_once = dict.fromkeys(position["used"], 1) if position else {}
        if position:
            _choose(owner, position["next"])
        elif self.streams:
            owner.change_dataloader()

    def __iter__(self):
        return self

    def __next__(self):
        owner = self.owner
        while self.streams and not self.exhausted:
            index = owner.current_index
            try:
                batch = next(self.streams[index])
            except StopIteration:
                owner._finished_iterators[index] = 1
                # Without proportional sampling MMF ends an epoch with the first dataset that is
                # through, provided that each had its turn.
                all_used = len(owner._used_once) == owner.num_datasets
                all_finished = len(owner._finished_iterators) == owner.num_datasets
                self.exhausted = all_finished or (all_used and not owner._proportional_sampling)
                if not self.exhausted:
                    owner.change_dataloader()
            else:
                owner._used_once[index] = 1
                return batch
        raise StopIteration

    def position(self) -> dict | None:
        """Return what `Epoch` needs to go on from here, in plain values; None at the end."""
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
    """rc10's, whose passes are whole, and can begin in the middle."""

    resume_position: dict | None = None
    epoch: Epoch | None = None

    def build_datasets(self, config: Any) -> None:
        self._num_datasets = None
        try:
            super().build_datasets(config)
        except (IndexError, ZeroDivisionError):
            # MMF takes the first dataset as the current one, and divides by the number of samples.
            if self._num_datasets is None or self._total_length > 0:
                raise  # a dataset's own
            self._proportional_sampling = True
        for dataset in self.datasets:
            if len(dataset) == 0:
                raise DataError(empty_dataset(dataset.name, self.dataset_type))

    def build_dataloaders(self) -> None:
        if self.datasets:
            super().build_dataloaders()

    def __len__(self) -> int:
        # MMF divides the number of samples by the batch size, rounding down.
        return sum(len(loader) for loader in self.loaders)

    def __iter__(self) -> Epoch:
        position, self.resume_position = self.resume_position, None
        self.epoch = Epoch(self, position)
        return self.epoch

    def __next__(self) -> Any:
        return next(self.epoch)

    def resume_epoch(self, position: dict) -> bool:
        """Let the next pass begin at `position`; return whether it can."""
        return resume_epoch(self, position, fingerprint(self.datasets))


@patch(
    "mmf.datasets.multi_dataset_loader.MultiDatasetLoader",
    "rc10",
    why="It keeps the iterators and the marks of finished datasets of its first pass: the second "
    "pass over several datasets ends at once or never. With three datasets or more a pass may end "
    "while one of them still has batches. Its length excludes a last batch that is not full. A "
    "split that no dataset has ends in an IndexError, though the run may not need it. MMF names "
    "the class where it makes one.",
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
