"""Backbones: built from a configuration, shifted at the right layer, refused with a reason."""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load
from transformers import AutoConfig, AutoModel, modeling_utils

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.backbone import load_backbone, replaced_output, shift_place

BERT = {
    "model_type": "bert",
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
FAMILIES = {
    "bert": BERT,
    "roberta": BERT | {"model_type": "roberta", "max_position_embeddings": 40},
    "electra": BERT | {"model_type": "electra", "embedding_size": 8},
    "distilbert": {
        "model_type": "distilbert", "vocab_size": 30, "dim": 16, "n_layers": 2, "n_heads": 2,
        "hidden_dim": 16,
    },
    "mpnet": BERT | {"model_type": "mpnet"},
    "deberta-v2": BERT | {"model_type": "deberta-v2"},
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_what_replaces_a_layers_output_is_what_the_rest_computes_with(family, layer):
    torch.manual_seed(0)
    backbone = load_backbone(from_config=FAMILIES[family]).eval()
    ids, mask = torch.arange(5, 11).view(2, 3), torch.ones(2, 3, dtype=torch.long)
    plain = backbone(input_ids=ids, attention_mask=mask).last_hidden_state
    seen = []

    def negate(states):
        seen.append(states)
        return -states

    with replaced_output(shift_place(backbone, layer), negate):
        changed = backbone(input_ids=ids, attention_mask=mask).last_hidden_state
    assert [s.shape for s in seen] == [(2, 3, 16)]
    assert not torch.allclose(plain, changed)
    if layer == 2 and family != "mpnet":
        torch.testing.assert_close(changed, -plain)
    again = backbone(input_ids=ids, attention_mask=mask).last_hidden_state
    assert torch.equal(plain, again), "the backbone is itself again afterwards"


def test_loads_a_local_folder_with_its_weights(tmp_path):
    saved = load_backbone(from_config=BERT)
    saved.save_pretrained(tmp_path)
    loaded = load_backbone(name=str(tmp_path))
    ours, theirs = (m.embeddings.word_embeddings.weight for m in (loaded, saved))
    assert torch.equal(ours, theirs)


def test_builds_random_weights_from_a_folder_with_a_configuration(tmp_path):
    AutoConfig.for_model(**BERT).save_pretrained(tmp_path)
    assert load_backbone(from_config=str(tmp_path)).config.hidden_size == 16


@pytest.mark.parametrize("layer", [-1, 3, 1.0, True, None])
def test_a_layer_that_is_not_there_is_refused(layer):
    backbone = load_backbone(from_config=BERT)
    with pytest.raises(ConfigError, match=r"shift\.layer is .* from 0 .* to 2"):
        shift_place(backbone, layer)


def test_a_model_without_a_list_of_layers_is_refused():
    albert = AutoModel.from_config(AutoConfig.for_model(**(BERT | {"model_type": "albert"})))
    with pytest.raises(ConfigError, match="AlbertModel has no list of encoder layers"):
        shift_place(albert, 1)


def test_a_replica_of_the_model_keeps_its_own_output():
    # DataParallel's replicas of a module share its table of hooks.
    part = torch.nn.Identity()
    replica = part._replicate_for_data_parallel()
    with replaced_output(part, torch.neg):
        assert part(torch.ones(1)) == -1 and replica(torch.ones(1)) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"hidden_size": 16},
        BERT | {"model_type": "no-such-model"},
        BERT | {"num_attention_heads": 3},
        BERT | {"hidden_size": "wide"},
        5,
    ],
)
def test_an_unusable_configuration_is_refused(bad):
    with pytest.raises(ConfigError, match=r"backbone\.from_config"):
        load_backbone(from_config=bad)


def test_a_model_that_cannot_be_had_is_named_with_what_to_do():
    with pytest.raises(ConfigError) as error:
        load_backbone(name="no-such-organisation/no-such-model")
    message = str(error.value)
    assert "no-such-organisation/no-such-model" in message
    assert "model_config.cmsbert.backbone.name=/path/to/folder" in message


def test_a_missing_folder_is_not_looked_for_on_the_hub(tmp_path):
    with pytest.raises(ConfigError, match="there is no folder"):
        load_backbone(name=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "size",
    [
        {"hidden_size": 10**9},
        {"num_hidden_layers": 10**9},
        {"vocab_size": -1},
        {"intermediate_size": 1e12},
    ],
)
def test_sizes_that_no_memory_holds_are_refused_at_once(size):
    given = {"model_type": "bert", "hidden_size": 16, "num_hidden_layers": 1} | size
    with pytest.raises(ConfigError, match=f"from_config.*{next(iter(size))}"):
        load_backbone(from_config=given)


@pytest.fixture
def saved(tmp_path):
    """A folder with the weights of a small BERT."""
    torch.manual_seed(0)
    load_backbone(from_config=BERT).save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def maps_of(folder):
    return [
        line for line in Path("/proc/self/maps").read_text().splitlines() if str(folder) in line
    ]


@pytest.fixture(params=["one file", "several files"])
def saved_as_bin(saved, request):
    """The same weights as transformers wrote them before it wrote ``.safetensors``."""
    weights = load((saved / "model.safetensors").read_bytes())
    (saved / "model.safetensors").unlink()
    if request.param == "one file":
        torch.save(weights, saved / "pytorch_model.bin")
        return saved, weights
    names = sorted(weights)
    shards = {f"pytorch_model-{n}-of-2.bin": names[n - 1 :: 2] for n in (1, 2)}
    for file, held in shards.items():
        torch.save({name: weights[name] for name in held}, saved / file)
    index = {"metadata": {}, "weight_map": {n: file for file in shards for n in shards[file]}}
    (saved / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    return saved, weights


def test_bin_files_of_weights_are_read_too(saved_as_bin):
    """They can be cut or overwritten as soon as the model is there."""
    folder, weights = saved_as_bin
    model = load_backbone(str(folder))
    assert maps_of(folder) == []
    for file in folder.glob("*.bin"):
        file.write_bytes(bytes(file.stat().st_size))
        os.truncate(file, 100)
    found = model.state_dict()
    assert all(torch.equal(found[name], value) for name, value in weights.items())


def test_bin_files_in_the_hubs_cache_are_read_too(saved_as_bin, tmp_path, monkeypatch):
    folder, weights = saved_as_bin
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    cached = tmp_path / "cache" / "models--someone--bert"
    shutil.copytree(folder, cached / "snapshots" / ("1" * 40))
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("1" * 40)
    found = load_backbone("someone/bert")
    assert maps_of(cached) == []
    assert all(torch.equal(found.state_dict()[name], value) for name, value in weights.items())


def test_a_cut_bin_file_is_one_message(saved_as_bin):
    folder, _ = saved_as_bin
    for file in folder.glob("*.bin"):
        os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(ConfigError, match=r"backbone\.name: the backbone .* could not") as error:
        load_backbone(str(folder))
    assert "\n" not in str(error.value)


def test_weights_are_read_before_the_file_can_be_cut(saved, monkeypatch):
    wanted = load_backbone(str(saved)).state_dict()
    file = saved / "model.safetensors"
    real = modeling_utils._safe_load_bytes

    def cut_and_load(content):
        os.truncate(file, 100)
        return real(content)

    monkeypatch.setattr(modeling_utils, "_safe_load_bytes", cut_and_load)
    monkeypatch.setattr(modeling_utils, "safe_open", partial(pytest.fail, "the file is mapped"))
    found = load_backbone(str(saved)).state_dict()
    assert file.stat().st_size == 100
    assert all(torch.equal(found[name], value) for name, value in wanted.items())


@pytest.mark.parametrize("size", [0, 7, 100, -1])
def test_a_cut_file_of_weights_is_one_message(saved, size):
    file = saved / "model.safetensors"
    os.truncate(file, size % file.stat().st_size)
    with pytest.raises(ConfigError, match=r"backbone\.name: the backbone .* could not") as error:
        load_backbone(str(saved))
    assert "\n" not in str(error.value)
