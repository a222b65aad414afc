"""Corpora and plans of the benchmark, and what its scores make of runs."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.experiments.cues import report, texts
from mmf_cmsbert.experiments.cues.condition import (
    Condition,
    checked_placements,
    conditions,
    sizes_of,
)

FOUND = {"text_only": 0.0, "mag": 0.3, "cms": 0.8, "cms_clr": 0.8}


def corpus(benchmark, name):
    """The segments of each split that a condition's recipe trains and scores on."""
    (file,) = {
        line
        for job in benchmark.jobs
        if job.base == name
        for line in yaml.safe_load(job.config["text"])["includes"]
    }
    with open(file) as stream:
        recipe = yaml.safe_load(stream)
    files = recipe["dataset_config"]["mosi"]["annotations"]
    return {split: list(StoredSegments(Path(folder))) for split, (folder,) in files.items()}


def test_labels_are_those_of_the_corpus_plus_the_cue_and_frames_do_not_show_the_strength(
    plan, sentences
):
    benchmark = plan(["own"])
    none, strong = (corpus(benchmark, f"own_{strength}_12_draw1") for strength in (0, 1))
    for split, given in sentences().splits.items():
        for before, zero, one in zip(given, none[split], strong[split], strict=True):
            (cue,) = one.targets["cue"]
            assert zero.label == pytest.approx(before.label)
            assert one.label == pytest.approx(before.label + cue)
            assert (zero.frames["visual"] == one.frames["visual"]).all()
            assert one.frames["acoustic"].shape == (len(one.words), 8)


def test_smaller_training_sets_are_parts_of_larger_ones_and_test_is_the_same(plan):
    benchmark = plan(["other"], [1.0], [6, 12])
    small, large = (corpus(benchmark, f"other_1_{size}_draw1") for size in (6, 12))
    assert len(small["train"]) == 6
    assert {s.id for s in small["train"]} < {s.id for s in large["train"]}
    assert [s.label for s in small["test"]] == [s.label for s in large["test"]]


def test_permuted_labels_are_the_same_ones_at_other_segments(plan):
    benchmark = plan(["own"], [1.0])
    before, after = (corpus(benchmark, f"own_1{kind}_12_draw1") for kind in ("", "_permuted"))
    for split in before:
        labels = [[s.label for s in each[split]] for each in (before, after)]
        assert labels[0] != labels[1] and sorted(labels[0]) == sorted(labels[1])
        assert [s.targets for s in before[split]] == [s.targets for s in after[split]]


def test_controls_with_permuted_labels_can_be_left_out(plan, scored):
    with_them, without = plan(), plan(permuted=False)
    left_out = {job.base for job in with_them.jobs} - {job.base for job in without.jobs}
    assert left_out == {"own_1_permuted_12_draw1", "other_1_permuted_12_draw1"}
    names = {each.name for each in scored(without, FOUND).controls}
    assert names == {"strength zero", "no frames"}


def test_text_alone_runs_once_for_all_placements(plan):
    jobs = plan(draws=2).jobs
    # 2 strengths and the control; text alone for one of two placements; 2 draws
    assert len(jobs) == (3 + 3 * 3 * 2) * 2
    assert all(job.base.startswith("own") for job in jobs if job.recipe == "text_only")
    assert {job.seed for job in jobs if job.base.endswith("draw2")} == {2}


def test_corpora_are_written_once(plan, tmp_path):
    plan(["own"], [1.0])
    times = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("segments.arrow")}
    plan(["own"], [1.0])
    assert times and times == {file: file.stat().st_mtime_ns for file in times}


def test_a_recipe_stands_between_text_alone_and_the_bound(plan, scored):
    scores = scored(plan(draws=3), FOUND)
    for recipe, share in FOUND.items():
        values = list(scores.shares(recipe, "other", 12).values())
        assert len(values) == 3 and np.mean(values) == pytest.approx(share, abs=0.03)
    point = next(p for p in scores.points if p.recipe == "cms" and p.condition.strength == 1)
    assert point.response.value == pytest.approx(0.8 * point.bound, abs=0.03)
    # text alone has 2 at strength zero: with a cue of variance 1, the smallest without frames is 3
    assert point.mse_text == 3 and 2 < point.mse_bound < 2.5
    pair, corrected = scores.comparisons["cms", "mag", "other", 12]
    assert pair.mean == pytest.approx(0.5, abs=0.05) and pair.count == 3
    assert corrected == 1.0, "three draws cannot show a difference in 10 comparisons"


def test_controls_without_an_effect_pass_and_one_with_an_effect_is_named(plan, scored):
    benchmark = plan(draws=3)
    sound = scored(benchmark, FOUND)
    assert {row[-1] for row in report.controls(sound)[1:]} == {"no"}
    # text alone that follows the cue: the benchmark leaks
    leaking = scored(benchmark, FOUND | {"text_only": 0.7})
    rows = {tuple(row[:2]): row[-1] for row in report.controls(leaking)[1:]}
    assert rows["no frames", "text_only"] == "YES" and rows["strength zero", "cms"] == "no"
    one = scored(plan(draws=1), FOUND)
    assert {row[-1] for row in report.controls(one)[1:]} == {"cannot be told"}


def test_tables_json_and_plot_say_what_the_data_is(plan, scored, tmp_path, sentences):
    scores = scored(plan(draws=3), FOUND)
    report.write_markdown(tmp_path / "cues.md", scores, "cmsbert benchmark cues", "words")
    text = (tmp_path / "cues.md").read_text()
    assert "**SEMI-SYNTHETIC" in text and "| other | 12 | bound | 0.00 |" in text
    report.write_json(tmp_path / "cues.json", scores, "cmsbert benchmark cues", sentences())
    found = json.loads((tmp_path / "cues.json").read_text())
    assert found["semi_synthetic"] and len(found["runs"]) == len(scores.runs)
    pytest.importorskip("matplotlib", reason="the plot needs matplotlib, which is optional")
    report.write_plot(scores, [tmp_path / "cues.svg"])
    assert "other, 12 segments" in (tmp_path / "cues.svg").read_text()


def test_names_of_conditions_are_read_back():
    for each in conditions(["own", "reference"], [0.0, 0.25, 1.5], [60, 480], 3):
        assert Condition.named(each.name) == each


def test_sizes_and_placements_that_there_are_not_are_refused():
    assert sizes_of(1283, None) == [320, 641, 1283] and sizes_of(10, [5, 2, 5]) == [2, 5]
    with pytest.raises(ConfigError, match="--size 11: the training split has 10 usable segments"):
        sizes_of(10, [11])
    with pytest.raises(ConfigError, match="--placement on: expected one of own, other, spread"):
        checked_placements(["on"])


def test_transcripts_in_capitals_become_lower_case_and_unusable_segments_are_counted(tmp_path):
    rows = [f"v[{i}],v,{split},1.5,A GOOD FILM" for i, split in enumerate(("train", "dev", "test"))]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["id,video_id,split,label,transcript", *rows, "v[9],v,test,9,BAD"]))
    found = texts.read_corpus([table], "auto", tmp_path)
    assert found.splits["train"][0].words == ("a", "good", "film")
    assert len(found.skipped) == 1 and found.sources[0].path == str(table)
    table.write_text("\n".join(["id,video_id,split,label,transcript", rows[0]]))
    with pytest.raises(DataError, match="there is no val split"):
        texts.read_corpus([table], "auto", tmp_path)


def test_the_best_error_of_generated_text_is_that_of_its_noise():
    segments = texts.generate(1).splits["train"]
    from mmf_cmsbert.datasets.synthetic_text import OPINIONS

    values = {word: value for value, words in OPINIONS.items() for word in words}
    errors = [s.label - next(values[w] for w in s.words if w in values) for s in segments]
    assert np.mean(np.square(errors)) == pytest.approx(texts.LABEL_NOISE**2, abs=0.05)
