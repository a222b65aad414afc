"""Two-dimensional projections of vectors and their alignment, compared with scikit-learn."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from mmf_cmsbert.report.vectors import alignment, embeddings


def normal(count, dim, seed):
    rows = np.random.default_rng(seed).normal(size=(count, dim)) * np.arange(1, dim + 1)
    return dict(enumerate(rows.astype(np.float32)))


def test_points_are_the_principal_components():
    pooled = {"text": normal(30, 6, 0), "visual": normal(30, 4, 1)}
    projected = {name: normal(30, 5, i) for i, name in enumerate(pooled)}
    found = embeddings(pooled, projected, 30)
    assert found.segments == list(range(30))
    for name, vectors in pooled.items():
        fitted = PCA(2).fit(np.stack(list(vectors.values())))
        expected = fitted.transform(np.stack(list(vectors.values())))
        assert np.allclose(np.abs(found.before[name]), np.abs(expected), atol=1e-2)
        assert found.explained[name] == pytest.approx(
            fitted.explained_variance_ratio_.sum(), abs=1e-3
        )
    together = np.concatenate([np.stack(list(projected[name].values())) for name in pooled])
    assert np.allclose(
        np.abs(found.after["text"]), np.abs(PCA(2).fit_transform(together))[:30], atol=1e-2
    )


def test_a_segment_without_a_modality_has_no_point_of_it():
    projected = {"text": normal(10, 5, 0), "visual": normal(4, 5, 1)}
    found = embeddings(projected, projected, 10)
    assert sum(point is None for point in found.before["visual"]) == 6
    assert [(each.one, each.other, each.count) for each in found.alignments] == [
        ("text", "visual", 4)
    ]


def test_of_many_segments_some_are_shown():
    vectors = {"text": normal(1000, 3, 0)}
    found = embeddings(vectors, vectors, 1000)
    assert len(found.segments) == 400 == len(found.before["text"])
    assert (found.segments[0], found.segments[-1]) == (0, 999)


def test_alignment_by_hand():
    axes = dict(enumerate(np.eye(3)))
    same = alignment("text", "visual", {"text": axes, "visual": axes})
    assert (same.same, same.different, same.found) == (1, 0, 1)
    equal = alignment(
        "text", "visual", {"text": axes, "visual": dict.fromkeys(range(3), np.ones(3))}
    )
    assert equal.found == 0  # what equals all others found nothing
    assert alignment("text", "visual", {"text": axes, "visual": {7: np.ones(3)}}) is None


def test_too_few_vectors_give_no_picture():
    assert embeddings({"text": normal(2, 3, 0)}, {"text": normal(2, 3, 0)}, 2) is None
