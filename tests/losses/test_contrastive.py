"""The contrastive loss against hand-worked numbers and a reference written with plain loops."""

import math
from contextlib import nullcontext

import pytest
import torch

from mmf_cmsbert.losses import info_nce, multimodal_contrastive

TEXT_VISUAL = ("text", "visual")
TEXT_ACOUSTIC = ("text", "acoustic")
VISUAL_ACOUSTIC = ("visual", "acoustic")
MODALITIES = ("text", "visual", "acoustic")


def make_embeddings(batch=6, dim=5, seed=0, requires_grad=False):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(batch, dim, generator=generator, dtype=torch.float64).requires_grad_(
            requires_grad
        )
        for name in MODALITIES
    }


def cosine(x, y):
    dot = sum(a * b for a, b in zip(x, y, strict=True))
    return dot / math.sqrt(sum(a * a for a in x)) / math.sqrt(sum(b * b for b in y))


def looped_direction(queries, keys, present, temperature, eps):
    losses = []
    for i in present:
        exps = {j: math.exp(cosine(queries[i], keys[j]) / temperature) for j in present}
        loss = 0.0
        for j in present:
            target = (1 - eps if j == i else 0.0) + eps / len(present)
            loss -= target * math.log(exps[j] / sum(exps.values()))
        losses.append(loss)
    return sum(losses) / len(losses)


def looped_loss(embeddings, pairs, temperature, eps, masks, targets):
    values = []
    for a, b in pairs:
        present = [
            i
            for i in range(len(embeddings[a]))
            if all(name not in masks or bool(masks[name][i]) for name in (a, b))
        ]
        if len(present) < 2:
            continue
        online = {name: embeddings[name].tolist() for name in (a, b)}
        key = {name: targets[name].tolist() for name in (a, b)} if targets else online
        values.append(
            looped_direction(online[a], key[b], present, temperature, eps) / 2
            + looped_direction(online[b], key[a], present, temperature, eps) / 2
        )
    return sum(values) / len(values) if values else 0.0


def test_info_nce_of_two_orthogonal_segments_by_hand():
    # Similarities [[1, 0], [0, 1]] at temperature 0.5 are logits [[2, 0], [0, 2]]:
    # -log(e^2 / (e^2 + 1)) = log(1 + e^-2) = 0.126928 for both queries.
    eye = torch.eye(2)
    loss = info_nce(eye, eye, torch.arange(2), 0.5)
    assert loss.item() == pytest.approx(0.126928, abs=1e-6)


def test_info_nce_smooths_over_all_keys_by_hand():
    # As above, eps = 0.2 over 2 keys: 0.9 on the positive, 0.1 on the negative, whose negative
    # log-probability is 2 more: 0.9 * 0.126928 + 0.1 * 2.126928 = 0.326928.
    eye = torch.eye(2)
    loss = info_nce(eye, eye, torch.arange(2), 0.5, label_smoothing=0.2)
    assert loss.item() == pytest.approx(0.326928, abs=1e-6)


def test_info_nce_takes_more_keys_than_queries():
    # One query e1 whose own key is row 2 of three: logits (0, 0, 1), log(e + 2) - 1 = 0.551445.
    keys = torch.tensor([[0.0, 1.0], [0.0, -1.0], [1.0, 0.0]])
    loss = info_nce(torch.tensor([[1.0, 0.0]]), keys, torch.tensor([2]), 1.0)
    assert loss.item() == pytest.approx(0.551445, abs=1e-6)


def test_info_nce_leaves_out_keys_that_are_not_there_by_hand():
    # Without row 1 the keys are e1, e2 as in the first test; its query does not count, either.
    keys = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
    present = torch.tensor([True, False, True])
    loss = info_nce(keys, keys, torch.arange(3), 0.5, 0.2, present)
    assert loss.item() == pytest.approx(0.326928, abs=1e-6)
    assert info_nce(keys, keys, torch.arange(3), 0.5, 0.2, present & False).item() == 0.0


def test_no_value_is_needed_to_ask_for_it(monkeypatch):
    # Meta tensors have no values, so reading one would fail, as it would wait for a GPU.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    embeddings = {name: torch.empty(6, 5, device="meta") for name in MODALITIES}
    masks = {"visual": torch.empty(6, dtype=torch.bool, device="meta")}
    pairs = [TEXT_VISUAL, TEXT_ACOUSTIC]
    assert multimodal_contrastive(embeddings, pairs, 0.2, 0.1, masks).shape == ()


def test_info_nce_gradients_are_those_of_finite_differences():
    queries = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    keys = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    positive = torch.tensor([4, 0, 2])
    assert torch.autograd.gradcheck(
        lambda q, k, t: info_nce(q, k, positive, t, 0.1), (queries, keys, temperature)
    )


@pytest.mark.parametrize("eps", [0.0, 0.1])
@pytest.mark.parametrize(
    "pairs",
    [[TEXT_VISUAL], [TEXT_VISUAL, TEXT_ACOUSTIC], [TEXT_VISUAL, TEXT_ACOUSTIC, VISUAL_ACOUSTIC]],
)
@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("momentum", [False, True])
def test_loss_equals_the_looped_reference(eps, pairs, missing, momentum):
    embeddings = make_embeddings()
    masks = {}
    if missing:
        masks["visual"] = torch.tensor([True, False, True, True, True, False])
        masks["acoustic"] = torch.tensor([True, True, False, True, False, False])
    targets = make_embeddings(seed=1) if momentum else None
    loss = multimodal_contrastive(embeddings, pairs, 0.2, eps, masks, targets)
    expected = looped_loss(embeddings, pairs, 0.2, eps, masks, targets)
    assert loss.item() == pytest.approx(expected, abs=1e-9)


def test_loss_in_float32_equals_the_looped_reference_at_the_default_temperature():
    embeddings = {name: e.float() for name, e in make_embeddings(batch=12).items()}
    pairs = [TEXT_VISUAL, TEXT_ACOUSTIC]
    loss = multimodal_contrastive(embeddings, pairs, 0.07, 0.1)
    assert loss.item() == pytest.approx(looped_loss(embeddings, pairs, 0.07, 0.1, {}, None), 1e-6)


@pytest.mark.parametrize("momentum", [False, True])
def test_gradients_are_those_of_finite_differences(momentum):
    embeddings = make_embeddings(batch=4, requires_grad=True)
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    masks = {"visual": torch.tensor([True, True, False, True])}
    targets = make_embeddings(batch=4, seed=1) if momentum else None

    def loss(text, visual, acoustic, temperature):
        named = {"text": text, "visual": visual, "acoustic": acoustic}
        pairs = [TEXT_VISUAL, TEXT_ACOUSTIC]
        return multimodal_contrastive(named, pairs, temperature, 0.1, masks, targets)

    assert torch.autograd.gradcheck(loss, (*embeddings.values(), temperature))


def test_a_segment_without_a_modality_is_as_if_it_were_not_in_the_batch():
    embeddings = make_embeddings()
    present = torch.tensor([True, True, False, True, True, False])
    kept = {name: e[present] for name, e in embeddings.items()}
    masked = multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1, 0.1, {"visual": present})
    without = multimodal_contrastive(kept, [TEXT_VISUAL], 0.1, 0.1)
    assert masked.item() == pytest.approx(without.item(), abs=1e-12)


def test_an_absent_embedding_of_nan_reaches_neither_loss_nor_gradients():
    embeddings = make_embeddings()
    embeddings["visual"][2] = math.nan
    for embedding in embeddings.values():
        embedding.requires_grad_(True)
    present = torch.arange(6) != 2
    loss = multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1, 0.1, {"visual": present})
    loss.backward()
    assert loss.isfinite()
    for name in TEXT_VISUAL:
        gradient = embeddings[name].grad
        assert gradient.isfinite().all()
        assert torch.equal(gradient[2], torch.zeros(5, dtype=torch.float64))
        assert (gradient[present] != 0).any(dim=1).all()


@pytest.mark.parametrize("left", [0, 1])
def test_a_pair_with_fewer_than_two_segments_is_zero_and_reaches_every_input(left):
    embeddings = make_embeddings(requires_grad=True)
    temperature = torch.tensor(0.1, requires_grad=True)
    masks = {"visual": torch.arange(6) < left}
    loss = multimodal_contrastive(embeddings, [TEXT_VISUAL], temperature, 0.1, masks)
    loss.backward()
    assert loss.item() == 0.0
    for tensor in (embeddings["text"], embeddings["visual"], temperature):
        assert torch.equal(tensor.grad, torch.zeros_like(tensor))


@pytest.mark.parametrize("left", [0, 1])
def test_an_idle_pair_does_not_count_in_the_average(left):
    embeddings = make_embeddings()
    masks = {"acoustic": torch.arange(6) < left}
    both = multimodal_contrastive(embeddings, [TEXT_VISUAL, TEXT_ACOUSTIC], 0.1, 0.1, masks)
    alone = multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1, 0.1)
    assert both.item() == alone.item()


def test_momentum_targets_get_no_gradient():
    embeddings = make_embeddings(requires_grad=True)
    targets = make_embeddings(seed=1, requires_grad=True)
    multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1, targets=targets).backward()
    assert all(target.grad is None for target in targets.values())
    assert embeddings["text"].grad.abs().sum() > 0
    assert embeddings["visual"].grad.abs().sum() > 0


def test_the_length_of_an_embedding_does_not_matter():
    embeddings = make_embeddings()
    longer = {name: 7 * embedding for name, embedding in embeddings.items()}
    loss = multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1)
    assert multimodal_contrastive(longer, [TEXT_VISUAL], 0.1).item() == pytest.approx(loss.item())


def test_autocast_does_not_blur_the_similarities():
    embeddings = {name: e.float() for name, e in make_embeddings().items()}
    plain = multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.07)
    with torch.autocast("cpu", torch.bfloat16):
        autocast = multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.07)
    assert autocast.dtype == torch.float32
    assert torch.equal(autocast, plain)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"visual": None}, "pair text-visual: there is no embedding 'visual', only text, acoustic"),
        ({"visual": torch.zeros(6, 4)}, r"\(6, 5\) and \(6, 4\)"),
        ({"text": torch.zeros(6, 2, 5), "visual": torch.zeros(6, 2, 5)}, r"\(batch, dim\)"),
    ],
)
def test_wrong_embeddings_are_named(change, message):
    embeddings = make_embeddings() | change
    embeddings = {name: e for name, e in embeddings.items() if e is not None}
    with pytest.raises(ValueError, match=message):
        multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1)


def test_wrong_masks_targets_and_pairs_are_named():
    embeddings = make_embeddings()
    with pytest.raises(ValueError, match=r"mask of visual has shape \(5,\), expected \(6,\)"):
        masks = {"visual": torch.ones(5, dtype=torch.bool)}
        multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1, masks=masks)
    with pytest.raises(ValueError, match="momentum embedding of visual: found none"):
        multimodal_contrastive(embeddings, [TEXT_VISUAL], 0.1, targets={"text": embeddings["text"]})
    with pytest.raises(ValueError, match="no pairs"):
        multimodal_contrastive(embeddings, [], 0.1)
