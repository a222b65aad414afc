"""The benchmark of a training step runs on a small random BERT, with equal work."""

import json
import subprocess
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import step
import step_table
import step_variants as variants
import torch

from mmf_cmsbert.paths import PACKAGE

LENGTHS = [3, 12, 7, 30]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backbone")
    config = {"model_type": "bert", "vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 2}
    config |= {"num_attention_heads": 2, "intermediate_size": 32}
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


def test_padding_changes_no_value_that_counts(backbone):
    bench = variants.Workbench(backbone)
    padded, cut = bench.batch(LENGTHS, padded=True), bench.batch(LENGTHS, padded=False)
    assert padded["input_ids"].shape == (4, 50) and cut["input_ids"].shape == (4, 30)
    assert padded["input_mask"].sum(1).tolist() == LENGTHS
    # One frame for each word piece except [CLS] and [SEP].
    assert padded["frame_masks"]["visual"].sum(1).tolist() == [1, 10, 5, 28]
    assert torch.equal(padded["targets"], cut["targets"])
    for name in ("input_ids", "word_index"):
        assert torch.equal(padded[name][:, :30], cut[name])
    for modality, frames in padded["frames"].items():
        assert torch.equal(frames[:, :30], cut["frames"][modality])
        assert not frames[:, 30:].any()


def test_all_ways_to_compute_mag_give_the_same_sentiment(backbone):
    bench = variants.Workbench(backbone)
    scores = []
    for variant in variants.VARIANTS.values():
        if variant.network == "mag":
            network = bench._network(variant).eval()
            with torch.no_grad():
                batch = bench.batch(LENGTHS, variant.padded)
                scores.append(variants._compute(network, batch).logits)
    assert len(scores) >= 7
    for other in scores[1:]:
        torch.testing.assert_close(other, scores[0], rtol=1e-5, atol=1e-5)


def test_the_reference_computes_as_torch_does_by_itself(backbone, monkeypatch):
    bench, settings = variants.Workbench(backbone), []

    def compute(network, batch):
        settings.append((torch.get_float32_matmul_precision(), torch.is_autocast_enabled("cpu")))
        return original(network, batch)

    original = variants._compute
    monkeypatch.setattr(variants, "_compute", compute)
    for name in (variants.REFERENCE, variants.ALL_BF16):
        variant = variants.VARIANTS[name]
        batch = bench.batch(LENGTHS, variant.padded)
        bench.train(variant, batch)
        bench.evaluate(variant, [batch])
    assert settings[:2] == [("highest", False)] * 2
    assert [autocast for _, autocast in settings[2:]] == [True, True]


def test_the_share_of_gpu_work_is_that_of_its_kernels(backbone, monkeypatch):
    bench = variants.Workbench(backbone)
    kernels = [SimpleNamespace(self_device_time_total=us) for us in (5e5, 2.5e5)]
    profiled = SimpleNamespace(key_averages=lambda: kernels)
    monkeypatch.setattr(variants, "profile", lambda activities: nullcontext(profiled))
    clock = iter([10.0, 11.5])
    monkeypatch.setattr(bench, "train", lambda *_: None)
    monkeypatch.setattr(bench, "_clock", lambda: next(clock))
    assert bench.gpu_share(variants.VARIANTS[variants.ALL], {}) == 0.5


def test_lengths_are_mosis_or_those_of_the_transcripts(tmp_path):
    drawn = step.segment_lengths(SimpleNamespace(transcripts=None, seed=1))
    assert len(drawn) == 1284 and min(drawn) >= 3 and max(drawn) <= 50
    assert abs(sorted(drawn)[642] - 12) <= 1 and 13 < sum(drawn) / 1284 < 16
    file = tmp_path / "transcripts.csv"
    file.write_text("id,transcript\na,IT WAS GOOD\nb," + "good " * 60 + "\n")
    given = SimpleNamespace(transcripts=file, tokenizer=str(PACKAGE / "projects/cmsbert/demo"))
    first, second = step.segment_lengths(given)
    assert 5 <= first < second == 50


def test_it_measures_every_variant_and_shows_ratios(backbone, tmp_path, monkeypatch, capsys):
    # Peak memory is measured in a new process, which takes seconds to import torch.
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout="1500000000"))
    out = tmp_path / "measured.json"
    typed = ["--backbone", backbone, "--batch", "8", "--rounds", "2", "--segments", "8"]
    step.main([*typed, "--out", str(out)])
    measured, shown = json.loads(out.read_text()), capsys.readouterr().out
    assert set(measured["steps"]) == set(variants.VARIANTS)
    for found in measured["steps"].values():
        assert all(len(values) == 2 for values in found.values())
        assert min(found["forward"]) > 0 and min(found["padding"]) >= 0
    padding = {name: found["padding"][0] for name, found in measured["steps"].items()}
    assert padding["reference"] > padding["cut to the longest"] >= padding["length groups"]
    assert "reference                 " in shown and "1.00 (1.00 to 1.00)" in shown
    assert "EMA, CMS + CLR, EMA, bf16: " in shown and "evaluation, ours, sorted, bf16: " in shown
    assert "GPU work" not in shown and not measured["gpu_share"]
    assert "synthetic lengths" in shown and "peak memory, reference: 1.50 GB" in shown


def test_ratios_are_paired_by_round():
    found = {"forward": [2.0, 8.0], "backward": [2.0, 4.0], "padding": [0.5, 0.5]}
    assert step_table.totals(found) == [4.0, 12.0]
    assert step_table.ratios([4.0, 12.0], [2.0, 3.0]) == [2.0, 4.0]
