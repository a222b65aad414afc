from dataclasses import replace

import numpy as np
import pytest
import yaml
from reported_runs import write_run
from small_predictor import made

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.manifest import read_manifest
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.cues.corpora import VERSION
from mmf_cmsbert.experiments.cues.found_places import compared, measure, weigh
from mmf_cmsbert.experiments.cues.frames import Planter


def segments(count=5):
    rng = np.random.default_rng(0)
    words = ["a", "very", "good", "film", "that", "i", "would", "not", "see", "again"]
    return [
        Segment(
            f"s{i}",
            "v",
            tuple(words[: 4 + i]),
            {
                "visual": rng.normal(size=(4 + i, 5)).astype(np.float32),
                "acoustic": rng.normal(size=(4 + i, 4)).astype(np.float32),
            },
            1.0,
        )
        for i in range(count)
    ]


def test_area_and_mass_by_hand():
    weights = [np.array([0.1, 0.6, 0.3]), np.array([0.5, 0.25, 0.25])]
    places = [np.array([False, True, False]), np.array([False, False, True])]
    found = compared("attention", "visual", weights, places)
    # the first planted frame beats both others; the second loses to one and ties with one
    assert found.auc.value == pytest.approx((1 + 0.25) / 2)
    assert found.mass.value == pytest.approx((0.6 + 0.25) / 2)
    assert (found.chance, found.segments) == (pytest.approx(1 / 3), 2)


def test_segments_without_weights_or_without_other_frames_do_not_count():
    place = np.array([True, False])
    weights = [None, np.zeros(2), np.ones(2), np.array([0.2, 0.8]), np.ones(2)]
    places = [place, place, np.array([True, True]), place, place]
    assert compared("shift", "visual", weights, places).segments == 2
    assert compared("shift", "visual", weights[:4], places[:4]) is None


def test_weights_that_say_nothing_are_at_chance():
    rng = np.random.default_rng(0)
    places = [np.arange(10) == rng.integers(10) for _ in range(400)]
    found = compared("gradient", "visual", [rng.random(10) for _ in range(400)], places)
    assert found.auc.low < 0.5 < found.auc.high and found.mass.low < found.chance < found.mass.high
    assert found.auc.value == pytest.approx(0.5, abs=0.05)


def test_weights_are_those_of_the_explanation_and_of_finite_differences():
    predictor, given = made("utterance"), segments()
    weights = weigh(predictor, given)
    assert [len(each["attention"]["visual"]) for each in weights] == [4, 5, 6, 7, 8]
    explained = predictor(given[1], explain=True).explanation.words
    read = [word for word in explained if word.shifts]  # the others were cut off
    expected = sum(word.shifts["visual"] * word.attention["visual"] for word in read)
    assert weights[1]["shift"]["visual"] == pytest.approx(expected, abs=1e-6)
    # the gradient by one value of one frame, by moving it
    step, sizes = 0.01, []
    for column in range(5):
        scores = []
        for sign in (-1, 1):
            moved = given[2].frames["visual"].copy()
            moved[3, column] += sign * step
            frames = dict(given[2].frames) | {"visual": moved}
            scores.append(predictor(Segment("s", "v", given[2].words, frames, 1.0)).score)
        sizes.append((scores[1] - scores[0]) / (2 * step))
    assert weights[2]["gradient"]["visual"][3] == pytest.approx(
        np.linalg.norm(sizes), rel=0.05, abs=1e-4
    )


def test_a_run_of_the_benchmark_is_measured_by_the_manifest_of_its_corpus(tmp_path):
    """The run reads a converted copy of the corpus, which does not say how that was made."""
    planter = Planter("other", 1)
    given = segments(12)
    for i, each in enumerate(given):
        frames = planter.plant(each.id, each.words).frames
        frames = {"visual": frames["visual"][:, :5], "acoustic": frames["acoustic"][:, :4]}
        given[i] = Segment(each.id, "v", each.words, frames, 1.0)
    run = write_run(tmp_path / "run", given)
    with pytest.raises(ConfigError, match="no planted cues"):
        measure(run)
    store = tmp_path / "run data"
    settings = {"benchmark": "cues", "version": VERSION, "placement": "other", "draw": 1}
    replace(read_manifest(store), settings=settings).write(store)
    found = {(each.kind, each.modality): each for each in measure(run)}
    assert ("gradient", "visual") in found and found["gradient", "acoustic"].segments == 12
    replace(read_manifest(store), settings=settings | {"placement": "spread"}).write(store)
    with pytest.raises(ConfigError, match="spread over all frames"):
        measure(run)
    replace(read_manifest(store), settings=settings | {"version": VERSION + 1}).write(store)
    with pytest.raises(ConfigError, match="by another version of this package"):
        measure(run)


def test_frames_that_were_averaged_have_no_place(tmp_path):
    run = write_run(tmp_path / "run", segments())
    store = tmp_path / "run data"
    settings = {"benchmark": "cues", "version": VERSION, "placement": "other", "draw": 1}
    replace(read_manifest(store), settings=settings).write(store)
    config = run / "config.yaml"
    content = yaml.safe_load(config.read_text())
    content["dataset_config"]["mosi"]["max_frames"] = 5
    config.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="max_frames=5, so frames of segments of up to 8 words"):
        measure(run)
