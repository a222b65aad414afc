"""Epochs over main's datasets that can be resumed in the middle, and missing splits."""

import warnings
from typing import Any

from mmf.datasets import multi_dataset_loader
from mmf.datasets.base_dataset_builder import BaseDatasetBuilder
from mmf.datasets.iteration_strategies import (
    ConstantIterationStrategy,
    SizeProportionalIterationStrategy,
)
from mmf.datasets.multi_datamodule import MultiDataModule
from mmf.datasets.multi_dataset_loader import MultiDataLoader

from mmf_cmsbert.checkpoints.batch_stream import BatchStream
from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf.positions import fingerprint, resume_epoch
from mmf_cmsbert.compat.mmf.splits import empty_dataset, no_samples
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import DataError

_SPLITS = ("train", "val", "test")


class Epoch:
    """One epoch over all datasets of a MultiDataLoader.

    Args:
        owner: the loader, which chooses the dataset of the next batch.
        position: the start, as returned by :meth:`position`; None for the beginning.
    """

    def __init__(self, owner: MultiDataLoader, position: dict[str, Any] | None = None):
        self.owner = owner
        self.exhausted = False
        endless = not owner.iteration_strategy.should_exhaust_all_iterators
        kept = position["streams"] if position else [{}] * len(owner.loaders)
        self.streams = {
            name: BatchStream(loader, endless=endless, **state)
            for (name, loader), state in zip(owner.loaders.items(), kept, strict=True)
        }
        owner.iterators = self.streams
        finished = position["finished"] if position else []
        owner._finished_iterators = {owner.dataset_list[index]: 1 for index in finished}
        if position:
            owner.current_index = position["next"]
            if position.get("turn") is not None:
                owner.iteration_strategy._current_idx = position["turn"]
        else:
            owner.change_dataloader()

    def position(self) -> dict[str, Any] | None:
        """Return the argument of an `Epoch` that resumes here, in plain values; None at the end."""
        if self.exhausted:
            return None
        owner = self.owner
        return {
            "streams": [stream.position() for stream in self.streams.values()],
            "finished": [owner.dataset_list.index(name) for name in owner._finished_iterators],
            "used": [],  # only rc10 needs it
            "next": int(owner.current_index),
            # round_robin has its own counter
            "turn": getattr(owner.iteration_strategy, "_current_idx", None),
            "data": fingerprint(owner.datasets),
        }

    def close(self) -> None:
        for stream in self.streams.values():
            stream.close()


class WholePassesLoader(MultiDataLoader):
    """Main's loader with complete epochs, which can be resumed in the middle."""

    resume_position: dict[str, Any] | None = None
    epoch: Epoch | None = None

    def __iter__(self) -> "WholePassesLoader":
        position, self.resume_position = self.resume_position, None
        self.epoch = Epoch(self, position)
        return self

    def __next__(self) -> Any:
        if not self.loaders:
            raise StopIteration
        while True:
            try:
                return super().__next__()
            except StopIteration:
                # Also raised if one dataset has ended, and the next chosen one has ended, too.
                if len(self._finished_iterators) in (0, self.num_datasets):
                    assert self.epoch is not None
                    self.epoch.exhausted = True
                    raise

    def __len__(self) -> int:
        """Return the number of batches of the epoch, or of its rest if it is resumed."""
        drawn = self.resume_position["streams"] if self.resume_position else []
        try:
            return sum(map(len, self.loaders.values())) - sum(each["drawn"] for each in drawn)
        except TypeError:  # a DataLoader of a stream has no length
            return int(super().__len__())

    def resume_epoch(self, position: dict[str, Any]) -> bool:
        """Start the next epoch at a position; return whether the position is valid."""
        return resume_epoch(self, position, fingerprint(self.datasets))


@patch(
    "mmf.datasets.multi_dataset_loader.MultiDataLoader",
    "main",
    why="A resumed run starts its epoch from the beginning, in another order. With three or more "
    "datasets an epoch may end while one of them still has batches; its length counts the "
    "incomplete batches of all datasets as one. MMF creates this class by name.",
    remove_when="MMF's loaders save their position.",
)
def whole_passes() -> None:
    imports.replace_function(
        multi_dataset_loader, "MultiDataLoader", lambda original: WholePassesLoader
    )


@patch(
    "mmf.datasets.multi_datamodule.MultiDataModule.{_build_multi_dataloader,get_test_reporter}",
    "main",
    why="A split that no dataset has raises a TypeError even if the run does not need it, an empty "
    "one an AttributeError.",
    remove_when="MMF accepts missing splits.",
)
def missing_splits() -> None:
    original_build = MultiDataModule._build_multi_dataloader
    original_get_test_reporter = MultiDataModule.get_test_reporter

    def build_multi_dataloader(self: MultiDataModule, dataset_type: str = "train") -> Any:
        everything, self.datamodules = self.datamodules, _with_split(self, dataset_type)
        try:
            loader = original_build(self, dataset_type) if self.datamodules else _empty()
        finally:
            self.datamodules = everything
        loader.dataset_type, loader._given_datasets = dataset_type, list(everything)
        loader.datasets = loader.get_datasets()
        if dataset_type != "train" and len(loader.loaders) > 1:
            # An evaluation is one complete epoch even if training's strategy is endless.
            loader._iteration_strategy = SizeProportionalIterationStrategy.from_params(
                loader.loaders
            )
        return loader

    def get_test_reporter(self: MultiDataModule, dataset_type: str) -> Any:
        if not self.get_loader(dataset_type).datasets:
            raise DataError(no_samples(self.get_loader(dataset_type)))
        everything, self.datamodules = self.datamodules, _with_split(self, dataset_type)
        try:
            return original_get_test_reporter(self, dataset_type)
        finally:
            self.datamodules = everything

    MultiDataModule._build_multi_dataloader = build_multi_dataloader
    MultiDataModule.get_test_reporter = get_test_reporter


@patch(
    "mmf.datasets.base_dataset_builder.BaseDatasetBuilder.prepare_data",
    "main",
    why="All processes build the splits other than train at the same time.",
    remove_when="MMF builds each split in the first process.",
)
def prepare_every_split() -> None:
    def prepare_data(self: BaseDatasetBuilder, config: Any, *args: Any, **kwargs: Any) -> None:
        self.config = config
        for split in _SPLITS:
            self.build_dataset(config, split)

    BaseDatasetBuilder.prepare_data = prepare_data


def _with_split(owner: MultiDataModule, split: str) -> dict[str, Any]:
    """Return the data modules of the datasets that have the split."""
    result = {}
    for name, module in owner.datamodules.items():
        # Only MMF's data modules have attributes for their datasets.
        dataset = getattr(module, f"{split}_dataset", module)
        if dataset is None:
            if _overrides_loader(module, split):
                result[name] = module
            continue
        if hasattr(dataset, "__len__") and len(dataset) == 0:
            raise DataError(empty_dataset(name, split))
        result[name] = module
    return result


def _overrides_loader(module: Any, split: str) -> bool:
    """Return whether a data module overrides MMF's method that creates the split's loader."""
    name = f"{split}_dataloader"
    method = getattr(getattr(module, name), "__func__", None)
    return method is not vars(BaseDatasetBuilder)[name]


def _empty() -> MultiDataLoader:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it is empty
        return WholePassesLoader({}, ConstantIterationStrategy.from_params({}))
