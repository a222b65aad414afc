"""The metrics of alignment, called by MMF's evaluation over batches."""

import math

import pytest
import torch

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.common.report import Report
from mmf.common.sample import SampleList
from mmf.modules.metrics import Metrics
from omegaconf import OmegaConf

from mmf_cmsbert.config import target_check
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.metrics.alignment import PAIR_METRICS, calibration_error
from mmf_cmsbert.trainers.evaluation import _joined

NAMES = [*PAIR_METRICS, "alignment_calibration_error"]


def output(count, seed):
    generator = torch.Generator().manual_seed(seed)
    modalities = ("text", "visual", "acoustic")
    return {
        "scores": torch.zeros(count, 1),
        "embeddings": {m: torch.randn(count, 5, generator=generator) for m in modalities},
        "embedding_masks": {
            "text": torch.ones(count, dtype=torch.bool),
            "visual": torch.arange(count) % 3 > 0,
            "acoustic": torch.ones(count, dtype=torch.bool),
        },
        "temperature": torch.tensor(0.2),
    }


def report(found):
    batch = SampleList()
    batch.add_field("targets", torch.zeros(len(found["scores"]), 1))
    batch.dataset_name, batch.dataset_type = "mosi", "val"
    return Report(batch, found)


def values(entries, found):
    metrics = Metrics(OmegaConf.create(entries))
    made = report(found)
    return {name.removeprefix("val/mosi/"): v.item() for name, v in metrics(made, made).items()}


def test_pairs_are_text_with_each_other_modality_over_segments_that_have_both():
    found = output(9, 0)
    scored = values(NAMES, found)
    text, visual, acoustic = found["embeddings"].values()
    has = found["embedding_masks"]["visual"]
    for name, metric in PAIR_METRICS.items():
        expected = (metric(text[has], visual[has]) + metric(text, acoustic)) / 2
        assert scored[name] == pytest.approx(expected, abs=1e-6), name
    one = values([{"type": "alignment_gap", "params": {"pair": ["acoustic", "visual"]}}], found)
    expected = PAIR_METRICS["alignment_gap"](acoustic[has], visual[has])
    assert one["alignment_gap"] == pytest.approx(expected, abs=1e-6)


def test_calibration_takes_the_models_temperature_and_a_number_of_candidates():
    found = output(9, 0)
    params = {"pair": ["text", "acoustic"], "candidates": 3}
    scored = values([{"type": NAMES[-1], "params": params}], found)
    text, _, acoustic = found["embeddings"].values()
    expected = calibration_error(text, acoustic, 0.2, 3)
    assert scored[NAMES[-1]] == pytest.approx(expected, abs=1e-6)


def test_batches_are_joined_to_the_whole_split():
    parts = [output(4, 1), output(3, 2)]
    joined = {name: _joined([part[name] for part in parts]) for name in parts[0]}
    assert joined["embeddings"]["visual"].shape == (7, 5) and joined["temperature"].dim() == 0
    assert torch.equal(joined["embeddings"]["text"][4:], parts[1]["embeddings"]["text"])
    assert len(joined["embedding_masks"]["visual"]) == 7


def test_text_alone_has_no_pair():
    found = output(4, 0)
    for name in ("embeddings", "embedding_masks"):
        found[name] = {"text": found[name]["text"]}
    assert all(map(math.isnan, values(NAMES, found).values()))


@pytest.mark.parametrize("pair", ["text", ["text"], ["text", "text"], ["a", "b", "c"]])
def test_a_pair_is_two_modalities(pair):
    with pytest.raises(ConfigError, match="expected two modalities"):
        values([{"type": "alignment_gap", "params": {"pair": pair}}], output(3, 0))


def test_modalities_and_params_that_there_are_not_are_named():
    entry = {"type": "alignment_gap", "params": {"pair": ["text", "gaze"]}}
    with pytest.raises(ConfigError, match="names gaze, and the model has embeddings of text, vis"):
        values([entry], output(3, 0))
    (problem,) = target_check.of_metrics([entry | {"params": {"pairs": []}}], {})
    assert "alignment_gap.params" in problem.text and "pair" in problem.text
    assert target_check.of_metrics([entry], {}) == []
