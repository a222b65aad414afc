import numpy as np
import pytest
from scipy import stats

from mmf_cmsbert.experiments.cues.bayes import bound, posterior
from mmf_cmsbert.experiments.cues.frames import Planter
from mmf_cmsbert.experiments.cues.placements import ENERGY, PLACEMENTS, REFERENCE, host

WORDS = ["it", "was", "wonderful", "film"]
KNOWN = ENERGY / (1 + ENERGY)  # explained where the place is known: signal to signal plus noise


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_posterior_is_that_of_importance_sampling_with_the_whole_frames(placement):
    """Draws from the generator, weighted by the likelihood of all columns of all frames."""
    planter = Planter(placement, 3)
    planted = planter.plant("one", WORDS)
    rng = np.random.default_rng(0)
    possible, draws = PLACEMENTS[placement](WORDS), 100_000
    latent = rng.normal(size=(draws, 2))
    chosen = possible[rng.integers(len(possible), size=draws)]
    log = np.zeros(draws)
    for m, frames in enumerate(planted.frames.values()):
        signal = np.einsum("dti,di->dt", chosen[:, m], latent)
        mean = signal[..., None] * planter.patterns[m]
        log += stats.norm.logpdf(frames, mean).sum((1, 2))
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    assert 1 / (weights**2).sum() > 200, "too few draws count"
    mean = weights @ latent[:, 0]
    found = planted.posterior
    assert found.mean == pytest.approx(mean, abs=0.06)
    assert found.variance == pytest.approx(weights @ (latent[:, 0] - mean) ** 2, abs=0.05)


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_bound_is_the_error_that_the_best_estimate_makes(placement):
    """The Monte Carlo mean of the squared error equals the mean posterior variance."""
    planter = Planter(placement, 1)
    planted = [planter.plant(str(i), WORDS) for i in range(1600)]
    cues = np.array([each.cue for each in planted])
    means = np.array([each.posterior.mean for each in planted])
    found = bound([each.posterior for each in planted], cues)
    errors = (means - cues) ** 2
    assert found.variance == pytest.approx(errors.mean(), abs=4 * stats.sem(errors))
    assert found.response == pytest.approx(1 - found.variance, abs=0.04)
    # no rescaled or shifted estimate is better, and nor is the best linear one of all frames
    x = np.stack([np.concatenate([f.ravel() for f in p.frames.values()]) for p in planted])
    fitted = np.linalg.lstsq(x[:800], cues[:800], rcond=None)[0]
    assert ((x[800:] @ fitted - cues[800:]) ** 2).mean() > errors[800:].mean()
    for scale in (0.9, 1.1):
        assert ((scale * means - cues) ** 2).mean() > errors.mean() - 0.002


@pytest.mark.parametrize("placement", ["own", "spread"])
def test_where_the_place_is_known_the_bound_is_signal_to_signal_plus_noise(placement):
    found = Planter(placement, 1).plant("one", WORDS).posterior
    assert found.variance == pytest.approx(1 - KNOWN)


def test_a_reference_at_a_known_place_leaves_the_noise_of_both_frames():
    """Voice minus what the face says of the reference: a regression with a known error."""
    loadings = PLACEMENTS["reference"](["one"])
    assert len(loadings) == 1
    # the voice is a (z + c r) + e, the face a c r + e'
    a, c = np.sqrt(ENERGY), REFERENCE
    of_reference = (c * a) ** 2 / (1 + (c * a) ** 2)
    noise = 1 + (c * a) ** 2 * (1 - of_reference)
    expected = 1 / (1 + a**2 / noise)
    assert posterior(loadings, np.zeros((2, 1))).variance == pytest.approx(expected)


def test_the_voice_alone_gives_little_of_a_cue_with_a_reference_and_the_face_nothing():
    loadings = PLACEMENTS["reference"](["one"])
    for modality, least in ((0, 0.999), (1, 0.8)):
        alone = np.zeros_like(loadings)
        alone[:, modality] = loadings[:, modality]
        assert posterior(alone, np.zeros((2, 1))).variance > least


@pytest.mark.parametrize("placement", ["own", "other", "spread"])
def test_all_placements_show_the_cue_with_the_same_energy(placement):
    for possible in PLACEMENTS[placement](WORDS):
        assert (possible[..., 0] ** 2).sum() == pytest.approx(ENERGY)


def test_the_owner_is_the_first_longest_word_and_other_words_are_others():
    assert host(WORDS) == 2 and host(["abc", "abd", "a"]) == 0
    assert not PLACEMENTS["other"](WORDS)[:, :, 2].any()
    assert not PLACEMENTS["reference"](WORDS)[:, :, 2].any()
    assert PLACEMENTS["other"](["alone"]).any(), "a single word is its own other"


def test_frames_come_from_the_seed_and_cues_are_the_same_in_all_placements():
    one, same = (Planter("other", 1).plant("a", WORDS) for _ in range(2))
    assert all((one.frames[m] == same.frames[m]).all() for m in one.frames)
    assert Planter("spread", 1).plant("a", WORDS).cue == one.cue
    assert Planter("other", 2).plant("a", WORDS).cue != one.cue
    assert Planter("other", 1).plant("b", WORDS).cue != one.cue
