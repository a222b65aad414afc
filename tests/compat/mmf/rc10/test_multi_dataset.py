"""An epoch over several datasets yields every sample of each dataset once."""

import collections

import numpy as np
import pytest
import torch

from mmf_cmsbert.errors import DataError

# number of samples in (train, val, test)
SIZES = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5), "toy_c": (6, 4, 3)}


def one_pass(toy, trainer, split):
    """Return the sample ids of each dataset, in the order of one epoch."""
    loader = getattr(trainer, f"{split}_loader")
    seen = collections.defaultdict(list)
    for batch in loader:
        prepared = toy.prepared(trainer, batch)
        seen[prepared.dataset_name] += prepared.id.tolist()
    return seen


@pytest.mark.parametrize("split", ["train", "val", "test"])
@pytest.mark.parametrize("datasets", [["toy_b"], ["toy_a", "toy_b"], ["toy_a", "toy_b", "toy_c"]])
def test_every_pass_is_whole(toy, tmp_path, split, datasets):
    trainer = toy.trainer(tmp_path, dataset=",".join(datasets), sizes=SIZES)
    column = ("train", "val", "test").index(split)
    for _ in range(4):
        seen = one_pass(toy, trainer, split)
        assert {name: sorted(ids) for name, ids in seen.items()} == {
            name: list(range(SIZES[name][column])) for name in datasets
        }


def test_its_length_is_the_number_of_batches(toy, tmp_path):
    trainer = toy.trainer(tmp_path, "training.batch_size=4", dataset="toy_a,toy_b", sizes=SIZES)
    assert len(trainer.train_loader) == 3 + 6  # 10 and 23 samples, with incomplete last batches


def test_larger_datasets_are_drawn_more_often(toy, tmp_path):
    sizes = {"toy_a": (400, 4, 4), "toy_b": (100, 4, 4)}
    trainer = toy.trainer(tmp_path, "training.batch_size=1", dataset="toy_a,toy_b", sizes=sizes)
    drawn = []
    for batch in trainer.train_loader:
        drawn.append(toy.prepared(trainer, batch).dataset_name)
    assert 0.65 < drawn[:200].count("toy_a") / 200 < 0.95


def test_where_a_pass_ended_does_not_matter_to_the_next(toy, tmp_path):
    # a resumed run lacks the earlier evaluations
    trainer = toy.trainer(tmp_path, dataset="toy_a,toy_b,toy_c", sizes=SIZES)

    def order(seed):
        np.random.seed(seed)
        batches = [toy.prepared(trainer, batch) for batch in trainer.val_loader]
        return [batch.dataset_name for batch in batches]

    seen = set()
    for seed in range(1, 6):
        order(seed)
        seen.add(tuple(order(0)))
    assert len(seen) == 1


def test_without_proportional_sampling_an_epoch_ends_with_the_first_dataset(toy, tmp_path):
    options = ["training.dataset_size_proportional_sampling=False"]
    trainer = toy.trainer(tmp_path, *options, dataset="toy_a,toy_b,toy_c", sizes=SIZES)
    for _ in range(4):
        seen = one_pass(toy, trainer, "train")
        assert set(seen) == set(SIZES)
        assert any(len(ids) == SIZES[name][0] for name, ids in seen.items())


def test_a_position_is_taken_up_without_touching_the_generators(toy, tmp_path):
    trainer = toy.trainer(tmp_path, dataset="toy_a,toy_b", sizes=SIZES)
    loader = trainer.train_loader

    def draw(iterator, count):
        batches = [toy.prepared(trainer, next(iterator)) for _ in range(count)]
        return [(batch.dataset_name, batch.id.tolist()) for batch in batches]

    iterator = iter(loader)
    draw(iterator, 4)
    position, generator = loader.epoch.position(), torch.get_rng_state()
    rest = draw(iterator, 5)
    assert next(iterator, None) is None and loader.epoch.position() is None

    np.random.seed(1)  # the order of the datasets comes from NumPy's generator
    loader.resume_epoch(position)
    torch.set_rng_state(generator)
    resumed = draw(iter(loader), 5)

    def by_dataset(batches):
        result = collections.defaultdict(list)
        for name, ids in batches:
            result[name] += ids
        return result

    assert by_dataset(resumed) == by_dataset(rest)


def test_a_split_that_is_not_needed_may_be_absent(toy, tmp_path):
    sizes = {"toy_a": (10, 5, 0)}
    run = toy.run(tmp_path, "run_type=train_val", "training.max_updates=6", sizes=sizes)
    assert "val/toy_a/toy_error" in run.metrics


@pytest.mark.parametrize(
    ("run_type", "sizes", "split"),
    [
        ("train_inference", (0, 5, 5), "train"),
        ("train_inference", (5, 0, 5), "val"),
        ("train_inference", (5, 5, 0), "test"),
        ("val", (5, 0, 5), "val"),
        ("inference", (5, 5, 0), "test"),
    ],
)
def test_an_absent_split_that_is_needed_is_named_before_training(
    toy, tmp_path, run_type, sizes, split
):
    with pytest.raises(DataError, match=f"no sample in the {split} split of toy_a"):
        toy.trainer(tmp_path, f"run_type={run_type}", sizes={"toy_a": sizes})


def test_an_empty_dataset_is_named(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(toy.ToyDataset, "__len__", lambda self: 0)
    with pytest.raises(DataError, match=r"train split of dataset toy_a is empty"):
        toy.trainer(tmp_path)
