"""Padding."""

import numpy as np
import torch

from mmf_cmsbert.datasets.batching import pad_frames, pad_pieces


def test_pieces_are_padded_on_the_right_to_the_longest():
    batch = pad_pieces(
        [np.array([2, 7, 3]), np.array([2, 8, 9, 9, 3])],
        [np.array([-1, 0, -1]), np.array([-1, 0, 1, 1, -1])],
        pad_id=5,
    )
    assert batch["input_ids"].tolist() == [[2, 7, 3, 5, 5], [2, 8, 9, 9, 3]]
    assert batch["input_mask"].tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batch["segment_ids"].tolist() == [[0] * 5, [0] * 5]
    assert batch["word_index"].tolist() == [[-1, 0, -1, -1, -1], [-1, 0, 1, 1, -1]]
    assert {tensor.dtype for tensor in batch.values()} == {torch.int64}


def test_frames_are_padded_with_zeros_and_masked():
    one, two = np.ones((1, 2), np.float32), np.full((3, 2), 2.0, np.float32)
    frames, mask = pad_frames([one, two], 2)
    assert frames.dtype == torch.float32
    assert frames.tolist() == [[[1, 1], [0, 0], [0, 0]], [[2, 2]] * 3]
    assert mask.tolist() == [[True, False, False], [True, True, True]]


def test_a_missing_modality_is_masked_everywhere():
    none, one = np.empty((0, 2), np.float32), np.ones((1, 2), np.float32)
    frames, mask = pad_frames([none, one], 2)
    assert mask.tolist() == [[False], [True]]
    assert frames[0].tolist() == [[0, 0]]
    frames, mask = pad_frames([none, none], 2)
    assert frames.shape == (2, 1, 2)
    assert not mask.any()


def test_frames_without_width_are_a_missing_modality():
    frames, mask = pad_frames([np.empty((0, 0), np.float32)] * 3, 0)
    assert frames.shape == (3, 1, 0)
    assert not mask.any()


def test_a_batch_does_not_share_memory_with_the_corpus():
    frames = np.ones((2, 2), np.float32)
    padded, _ = pad_frames([frames], 2)
    padded += 1
    assert frames.max() == 1
