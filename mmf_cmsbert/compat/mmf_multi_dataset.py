"""Passes over one or several datasets, each of them whole, that can be taken up in the middle.

MMF 1.0.0rc10's MultiDatasetLoader keeps the iterators and the marks of what is finished of its
first pass over several datasets: the second pass ends at once or never. With three datasets or
more a pass may also end while one of them still has batches. Its length leaves out a last batch
that is not full. A split that no dataset has ends in an IndexError, though the run may not need it.
"""

from mmf.common.registry import registry
from mmf.datasets.multi_dataset_loader import MultiDatasetLoader
from mmf.utils.general import get_batch_size

from mmf_cmsbert.compat import mmf_rng
from mmf_cmsbert.errors import DataError


class Stream:
    """One pass over one DataLoader, opened at the first batch.

    Args:
        start: the generators' states when the pass began; None for a new pass.
        drawn: batches that were drawn from it so far.
    """

    def __init__(self, loader, start: dict | None = None, drawn: int = 0):
        self.loader = loader
        self.start = start
        self.drawn = drawn
        self._iterator = None

    def __next__(self):
        if self._iterator is None:
            self._open()
        batch = next(self._iterator)
        self.drawn += 1
        return batch

    def _open(self) -> None:
        if self.start is None:
            self.start = mmf_rng.capture()
            self._iterator = iter(self.loader)
            return
        # The order of the samples, and the seeds of worker processes, are drawn when a pass
        # begins. Going through it again from there gives the same order; what the model drew in
        # between does not matter to it.
        now = mmf_rng.capture()
        mmf_rng.restore(self.start)
        self._iterator = iter(self.loader)
        for _ in range(self.drawn):
            next(self._iterator)
        mmf_rng.restore(now)

    def close(self) -> None:
        """Let go of the DataLoader's iterator and its worker processes, not of the position."""
        self._iterator = None


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
            Stream(loader, **state) for loader, state in zip(owner.loaders, kept, strict=True)
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
            "streams": [{"start": stream.start, "drawn": stream.drawn} for stream in self.streams],
            "finished": [int(index) for index in owner._finished_iterators],
            "used": [int(index) for index in owner._used_once],
            "next": int(owner.current_index),
            "data": _fingerprint(owner),
        }

    def close(self) -> None:
        for stream in self.streams:
            stream.close()


def apply() -> None:
    """Give MultiDatasetLoader whole passes with a position, and splits that may be absent."""
    original_build_datasets = MultiDatasetLoader.build_datasets
    original_build_dataloaders = MultiDatasetLoader.build_dataloaders

    def build_datasets(self, config):
        self._num_datasets = None
        try:
            original_build_datasets(self, config)
        except (IndexError, ZeroDivisionError):
            # MMF takes the first dataset as the current one, and divides by the number of samples.
            if self._num_datasets is None or self._total_length > 0:
                raise  # a dataset's own
            self._proportional_sampling = True
        for dataset in self.datasets:
            if len(dataset) == 0:
                raise DataError(
                    f"The {self.dataset_type} split of dataset {dataset.name} is empty. Look at "
                    f"dataset_config.{dataset.name}.annotations.{self.dataset_type}."
                )

    def build_dataloaders(self):
        if self.datasets:
            original_build_dataloaders(self)

    def batches(self):
        # MMF divides the number of samples by the batch size, rounding down.
        return sum(len(loader) for loader in self.loaders)

    def iterate(self):
        position, self.resume_position = self.resume_position, None
        self.epoch = Epoch(self, position)
        return self.epoch

    def next_batch(self):
        return next(self.epoch)

    def take_up(self, position):
        """Let the next pass begin at `position`; return whether it can."""
        same = position["data"] == _fingerprint(self)
        if same:
            self.resume_position = position
        else:
            registry.get("writer").write(
                f"The data or the batch size changed since the checkpoint ({position['data']} -> "
                f"{_fingerprint(self)}): the epoch begins anew.",
                "warning",
            )
        return same

    MultiDatasetLoader.build_datasets = build_datasets
    MultiDatasetLoader.build_dataloaders = build_dataloaders
    MultiDatasetLoader.__len__ = batches
    MultiDatasetLoader.__iter__ = iterate
    MultiDatasetLoader.__next__ = next_batch
    MultiDatasetLoader.take_up = take_up
    MultiDatasetLoader.resume_position = None
    MultiDatasetLoader.epoch = None


def _choose(owner: MultiDatasetLoader, index: int) -> None:
    owner.current_index = index
    owner.current_dataset = owner.datasets[index]
    owner.current_loader = owner.loaders[index]
    owner._chosen_iterator = owner.iterators[index]


def _fingerprint(owner: MultiDatasetLoader) -> dict:
    lengths = {dataset.name: len(dataset) for dataset in owner.datasets}
    return {"samples": lengths, "batch_size": get_batch_size()}
