"""Passes over main's datasets that resume in the middle, and splits that may be absent."""

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
    """One pass over all datasets of a MultiDataLoader, which chooses the next one.

    Args:
        position: where to begin, as `position` returned it; None for the beginning.
    """

    def __init__(self, owner: MultiDataLoader, position: dict | None = None):
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

    def position(self) -> dict | None:
        """Return what `Epoch` needs to go on from here, in plain values; None at the end."""
        if self.exhausted:
            return None
        owner = self.owner
        return {
            "streams": [stream.position() for stream in self.streams.values()],
            "finished": [owner.dataset_list.index(name) for name in owner._finished_iterators],
            "used": [],  # rc10's
            "next": int(owner.current_index),
            # round_robin counts by itself
            "turn": getattr(owner.iteration_strategy, "_current_idx", None),
            "data": fingerprint(owner.datasets),
        }

    def close(self) -> None:
        for stream in self.streams.values():
            stream.close()


class WholePassesLoader(MultiDataLoader):
    """Main's, whose passes are whole, and can begin in the middle."""

    resume_position: dict | None = None
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
                # also raised where one dataset has ended, and the next choice is at its end too
                if len(self._finished_iterators) in (0, self.num_datasets):
                    self.epoch.exhausted = True
                    raise

    def __len__(self) -> int:
        """The batches that the pass has, or has left where it begins in the middle."""
        drawn = self.resume_position["streams"] if self.resume_position else []
        try:
            return sum(map(len, self.loaders.values())) - sum(each["drawn"] for each in drawn)
        except TypeError:  # of a DataLoader over a stream, which has no length
            return super().__len__()

    def resume_epoch(self, position: dict) -> bool:
        """Let the next pass begin at `position`; return whether it can."""
        return resume_epoch(self, position, fingerprint(self.datasets))


@patch(
    "mmf.datasets.multi_dataset_loader.MultiDataLoader",
    "main",
    why="Main begins a resumed run's epoch anew, in another order. With three datasets or more a "
    "pass may end while one of them still has batches; its length counts the last batches of all "
    "datasets as one. MMF names the class where it makes one.",
    remove_when="MMF's loaders save their position.",
)
def whole_passes() -> None:
    imports.replace_function(
        multi_dataset_loader, "MultiDataLoader", lambda original: WholePassesLoader
    )


@patch(
    "mmf.datasets.multi_datamodule.MultiDataModule.{_build_multi_dataloader,get_test_reporter}",
    "main",
    why="A split that no dataset has ends in a TypeError, though the run may not need it, an empty "
    "one in an AttributeError.",
    remove_when="MMF accepts absent splits.",
)
def absent_splits() -> None:
    original_build = MultiDataModule._build_multi_dataloader
    original_get_test_reporter = MultiDataModule.get_test_reporter

    def build_multi_dataloader(self, dataset_type="train"):
        everything, self.datamodules = self.datamodules, _with_split(self, dataset_type)
        try:
            loader = original_build(self, dataset_type) if self.datamodules else _empty()
        finally:
            self.datamodules = everything
        loader.dataset_type, loader._given_datasets = dataset_type, list(everything)
        loader.datasets = loader.get_datasets()
        if dataset_type != "train" and len(loader.loaders) > 1:
            # An evaluation is one whole pass, also where training's strategy has no end.
            loader._iteration_strategy = SizeProportionalIterationStrategy.from_params(
                loader.loaders
            )
        return loader

    def get_test_reporter(self, dataset_type):
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
    why="All processes at once build the splits besides train.",
    remove_when="MMF builds each split in the first process.",
)
def every_split_is_prepared() -> None:
    def prepare_data(self, config, *args, **kwargs):
        self.config = config
        for split in _SPLITS:
            self.build_dataset(config, split)

    BaseDatasetBuilder.prepare_data = prepare_data


def _with_split(owner: MultiDataModule, split: str) -> dict[str, Any]:
    """The data modules of the datasets that have the split."""
    result = {}
    for name, module in owner.datamodules.items():
        # a data module that is not of MMF's kind need not say what its datasets are
        dataset = getattr(module, f"{split}_dataset", module)
        if dataset is None:
            if _makes_its_own_loader(module, split):
                result[name] = module
            continue
        if hasattr(dataset, "__len__") and len(dataset) == 0:
            raise DataError(empty_dataset(name, split))
        result[name] = module
    return result


def _makes_its_own_loader(module: Any, split: str) -> bool:
    """Whether a data module gives a loader of the split in another way than MMF's do."""
    name = f"{split}_dataloader"
    return getattr(getattr(module, name), "__func__", None) is not vars(BaseDatasetBuilder)[name]


def _empty() -> MultiDataLoader:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it is empty
        return WholePassesLoader({}, ConstantIterationStrategy.from_params({}))
