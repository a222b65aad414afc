"""``cmsbert data folds``: a corpus split by videos, with a recipe for each fold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments, with_frames

from mmf_cmsbert.config.completion import complete
from mmf_cmsbert.datasets.conversion import ConversionSettings, fitting_store
from mmf_cmsbert.datasets.stores.manifest import read_manifest
from mmf_cmsbert.datasets.stores.store import StoredSegments


@pytest.fixture
def corpus(tmp_path):
    generator = np.random.default_rng(4)
    corpus = {s: make_segments(generator, s, count=9, widths=(47, 74)) for s in SPLITS}
    written_layouts.write_misa(tmp_path, corpus)
    return corpus


def test_every_segment_is_tested_on_once_and_no_video_is_on_two_sides(cmsbert, corpus, tmp_path):
    result = cmsbert("data", "folds", tmp_path, "--dataset", "mosi", "--folds", 3)
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "working" / "mosi-folds"
    tested = []
    for number in (1, 2, 3):
        stores = {s: StoredSegments(folder / f"fold_{number}" / s) for s in SPLITS}
        videos = {split: {segment.video for segment in store} for split, store in stores.items()}
        assert sum(map(len, videos.values())) == len(set.union(*videos.values())) == 9
        tested += [segment.id for segment in stores["test"]]
        assert set(stores["train"].manifest.statistics) == {"visual", "acoustic"}
        assert f"fold_{number}.yaml: 9/9/9 segments" in result.stdout
    assert sorted(tested) == sorted(s.id for segments in corpus.values() for s in segments)
    bases = " ".join(f"--base {folder}/fold_{number}.yaml" for number in (1, 2, 3))
    assert f"cmsbert ablate cms_clr mag {bases}" in result.stdout


def test_a_fold_is_a_recipe_over_its_base(cmsbert, corpus, tmp_path):
    words = ("data", "folds", tmp_path, "--dataset", "mosi", "--folds", 3, "--split", "train")
    result = cmsbert(*words, "--base", "projects/cmsbert/demo.yaml", "--output", "cut")
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "working" / "cut"
    config = complete({"config": str(folder / "fold_2.yaml")}).resolved()
    assert config["dataset_config"]["mosi"]["annotations"] == {
        split: [str(folder / "fold_2")] for split in SPLITS
    }
    assert config["training"]["experiment_name"] == "synthetic_demo"
    assert sum(len(StoredSegments(folder / "fold_2" / s)) for s in SPLITS) == 9
    assert len(list(folder.iterdir())) == 6, "and nothing else is left"


def test_a_run_reads_the_stores_of_a_fold_also_of_earlier_versions(cmsbert, corpus, tmp_path):
    result = cmsbert("data", "folds", tmp_path, "--dataset", "mosi", "--folds", 3)
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "working" / "mosi-folds" / "fold_2"
    widths = {"visual": 47, "acoustic": 74}
    settings = ConversionSettings(corpus="mosi", layout="auto", widths=widths, labelled=True)
    assert all(len(fitting_store([folder], split, settings)) == 9 for split in SPLITS)
    for split in SPLITS:
        manifest = read_manifest(folder / split)
        assert manifest.settings == {"video_fold": 2, "video_folds": 3}
        replace(manifest, settings={"fold": 2, "folds": 3}).write(folder / split)
    assert all(len(fitting_store([folder], split, settings)) == 9 for split in SPLITS)


def test_an_id_of_two_splits_and_too_few_videos_are_told(cmsbert, corpus, tmp_path):
    written_layouts.write_misa(tmp_path, corpus | {"val": corpus["train"]})
    result = cmsbert("data", "folds", tmp_path, "--dataset", "mosi")
    assert result.exit_code == 2 and "is in two splits; type --split" in result.stderr
    result = cmsbert("data", "folds", tmp_path, "--dataset", "mosi", "--split", "train")
    assert result.exit_code == 2 and "5 folds of 3 videos" in result.stderr


def test_a_dataset_of_ones_own_is_divided_as_it_is_defined(cmsbert, define, corpus, tmp_path):
    corpus = {
        s: [with_frames(x, acoustic=x.frames["acoustic"][:1]) for x in each]
        for s, each in corpus.items()
    }
    corpus["train"][1] = replace(corpus["train"][1], label=7.0)
    corpus["val"][0].frames["visual"][0, 3] = np.inf
    written_layouts.write_folder(tmp_path / "mine", corpus)
    define("mine", on_invalid="skip", single_frame="every_word", non_finite="zero")
    result = cmsbert("data", "folds", tmp_path / "mine", "--dataset", "mine", "--folds", 3)
    assert result.exit_code == 0, result.stderr
    segments = [each for s in SPLITS for each in StoredSegments(Path("mine-folds/fold_1", s))]
    assert len(segments) == 26 and corpus["train"][1].id not in {each.id for each in segments}
    assert all(len(each.frames["acoustic"]) == len(each.words) for each in segments)
    assert all(np.isfinite(each.frames["visual"]).all() for each in segments)


def test_a_run_reads_the_folds_of_a_dataset_with_a_layout_and_a_context(
    cmsbert, define, corpus, tmp_path
):
    written_layouts.write_folder(tmp_path / "mine", corpus)
    define("mine", layout="folder", context=2)
    result = cmsbert("data", "folds", tmp_path / "mine", "--dataset", "mine", "--folds", 3)
    assert result.exit_code == 0, result.stderr
    config = complete({"config": "mine-folds/fold_2.yaml"}).resolved()
    section = config["dataset_config"]["mine"]
    widths = {"visual": 47, "acoustic": 74}
    settings = ConversionSettings(
        corpus="mine", layout=section["layout"], context=section["context"], widths=widths
    )
    assert (settings.layout, settings.context) == ("auto", 2)
    assert fitting_store([Path("mine-folds/fold_2")], "train", settings) is not None
