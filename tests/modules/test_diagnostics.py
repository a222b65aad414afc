"""Numbers that show how training goes, against loops and by hand."""

import pytest
import torch
import torch.nn.functional as F

from mmf_cmsbert.modules.diagnostics import alignment, shift_means
from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation


def test_alignment_is_that_of_a_loop_over_segments():
    torch.manual_seed(0)
    unit = {m: F.normalize(torch.randn(9, 4), dim=-1) for m in ("text", "visual")}
    present = {"text": torch.ones(9, dtype=torch.bool), "visual": torch.arange(9) != 3}
    found = alignment(unit, present, [("text", "visual")])
    rows = [i for i in range(9) if i != 3]
    cosines = [float(unit["text"][i] @ unit["visual"][i]) for i in rows]
    hits = []
    for a, b in (("text", "visual"), ("visual", "text")):
        for i in rows:
            hits.append(max(rows, key=lambda j, i=i, a=a, b=b: unit[a][i] @ unit[b][j]) == i)
    assert float(found["text-visual/cosine"]) == pytest.approx(sum(cosines) / 8, abs=1e-6)
    assert float(found["text-visual/match"]) == pytest.approx(sum(hits) / 16)


def test_equal_embeddings_match():
    unit = torch.eye(5)
    present = dict.fromkeys("ab", torch.ones(5, dtype=torch.bool))
    found = alignment({"a": unit, "b": unit}, present, [("a", "b")])
    assert {name: float(each) for name, each in found.items()} == {"a-b/cosine": 1, "a-b/match": 1}


def test_a_pair_that_no_segment_has_is_left_out():
    present = {"a": torch.tensor([True, False]), "b": torch.tensor([False, True])}
    assert alignment(dict.fromkeys("ab", torch.eye(2)), present, [("a", "b")]) == {}


def test_shifts_and_gates_are_means_over_pieces_of_segments_with_the_modality():
    explanation = ShiftExplanation(
        size=torch.tensor([[0.2, 0.4, 0.0], [0.6, 0.0, 0.0]]),
        sizes={"visual": torch.tensor([[0.1, 0.3, 0.0], [0.0, 0.0, 0.0]])},
        gates={"visual": torch.tensor([[0.5, 0.7, 0.0], [0.9, 0.0, 0.0]])},
    )
    mask = torch.tensor([[1, 1, 0], [1, 0, 0]])
    found = shift_means(explanation, mask, {"visual": torch.tensor([True, False])})
    expected = {"shift/total": 0.4, "shift/visual": 0.2, "gate/visual": 0.6}
    assert {name: float(each) for name, each in found.items()} == pytest.approx(expected)
    absent = shift_means(explanation, mask, {"visual": torch.tensor([False, False])})
    assert set(absent) == {"shift/total"}
