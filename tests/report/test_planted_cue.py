"""A word whose frame carries the sentiment: explanation and report point at it."""

import numpy as np
import pytest
import torch
from small_predictor import made

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.report.predicting import predicted

WORDS = ("a", "good", "film", "is", "a", "film")


def planted(count, seed):
    """Segments of words that say nothing, and the place of the one whose face tells the label."""
    rng = np.random.default_rng(seed)
    found, places = [], []
    for i in range(count):
        length, sign = int(rng.integers(4, 7)), rng.choice([-1, 1])
        place = int(rng.integers(length))
        face = rng.normal(0, 0.1, (length, 5)).astype(np.float32)
        face[place, :3] += 2 * sign
        voice = rng.normal(0, 0.1, (length, 4)).astype(np.float32)
        frames = {"visual": face, "acoustic": voice}
        found.append(Segment(f"s{i}", "v", WORDS[:length], frames, 2.0 * sign))
        places.append(place)
    return found, places


@pytest.fixture(scope="module")
def trained():
    """A small model with ``shift.context=word``, trained on such segments."""
    predictor = made("word")
    segments, _ = planted(256, 0)
    labels = torch.tensor([each.label for each in segments])
    network = predictor.network.train()
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    batch = predictor._batch(segments)
    rng = np.random.default_rng(1)
    for _ in range(60):
        rows = torch.from_numpy(rng.choice(len(segments), 32, replace=False))
        frames, masks = (
            {m: each[rows] for m, each in batch[k].items()} for k in ("frames", "frame_masks")
        )
        given = {k: batch[k][rows] for k in ("input_ids", "input_mask", "word_index")}
        scores = network(**given, frames=frames, frame_masks=masks, dataset="mosi").logits
        optimizer.zero_grad()
        (scores.squeeze(-1) - labels[rows]).abs().mean().backward()
        optimizer.step()
    network.eval()
    return predictor


def test_the_planted_word_is_shifted_most(trained):
    segments, places = planted(64, 5)
    explained = [each.explanation.words for each in trained(segments, explain=True)]
    assert [int(np.argmax([w.shifts["visual"] for w in words])) for words in explained] == places
    part = predicted(trained, segments, "mosi", "test", {}, synthetic=True)
    assert [int(np.argmax(each.shift)) for each in part.segments] == places
    assert np.mean([abs(each.score - each.label) for each in part.segments]) < 0.5
