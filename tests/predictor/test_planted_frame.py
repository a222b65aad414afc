"""One frame of an utterance carries the sentiment: explanations point at it.

The shift of the utterance's context (CMS) reads every frame for every word; nothing but the frame's
values says which one matters.
"""

import numpy as np
import pytest
import torch
from small_predictor import made

from mmf_cmsbert.datasets.segment import Segment

pytestmark = pytest.mark.slow
WORDS = ("a", "good", "film", "is", "a", "film")
FRAMES = 8


def planted(count, seed):
    """Return segments, and for each the number of the frame whose face has the label."""
    rng = np.random.default_rng(seed)
    segments, places = [], []
    for i in range(count):
        sign, place = rng.choice([-1, 1]), int(rng.integers(FRAMES))
        face = rng.normal(0, 0.1, (FRAMES, 5)).astype(np.float32)
        face[place, 0] += 2  # the cue is there, and its sign beside it
        face[place, 1] += 2 * sign
        segments.append(Segment(f"s{i}", "v", WORDS, {"visual": face}, 2.0 * sign))
        places.append(place)
    return segments, np.array(places)


def trained(seed):
    """Return a small model with ``shift.context=utterance``, trained on such segments."""
    predictor = made("utterance")
    torch.manual_seed(seed)
    for parameter in predictor.network.parameters():
        if parameter.dim() > 1:
            torch.nn.init.xavier_normal_(parameter)
    segments, _ = planted(512, seed)
    labels = torch.tensor([each.label for each in segments])
    network = predictor.network.train()
    optimizer = torch.optim.Adam(network.parameters(), 0.005)
    batch = predictor._batch(segments)
    rng = np.random.default_rng(seed)
    for _ in range(300):
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


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_planted_frame_is_read_most(seed):
    predictor = trained(seed)
    segments, places = planted(64, 100 + seed)
    found = predictor(segments, explain=True)
    error = np.mean([abs(each.score - each.label) for each in found])
    attention = [
        np.mean([word.attention["visual"] for word in each.explanation.words], 0) for each in found
    ]
    hits = np.mean([each.argmax() for each in attention] == places)
    share = np.mean([each[place] for each, place in zip(attention, places, strict=True)])
    print(
        f"seed {seed}: error {error:.2f}, argmax hits {hits:.2f} (chance 0.12), share {share:.2f}"
    )
    assert error < 0.7 and hits > 0.5 and share > 2 / FRAMES
