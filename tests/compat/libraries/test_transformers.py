import importlib

import pytest
import torch


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("configuration_auto", "AutoConfig"),
        ("configuration_bert", "BertConfig"),
        ("modeling_auto", "AutoModel"),
        ("tokenization_auto", "AutoTokenizer"),
        ("modeling_bert", "BertForPreTraining"),
        ("modeling_bert", "BertLayerNorm"),
        ("modeling_bert", "ACT2FN"),
    ],
)
def test_old_paths_can_be_imported(mmf, module, name):
    assert hasattr(importlib.import_module(f"transformers.{module}"), name)


def test_the_librarys_own_modules_keep_their_classes(mmf):
    import transformers
    from transformers.models.bert import modeling_bert

    from mmf_cmsbert.compat.libraries import bert
    from mmf_cmsbert.compat.mmf import line as mmf_line

    user = "mmf.modules.hf_layers" if mmf_line.is_main() else "mmf.models.visual_bert"
    assert importlib.import_module(user).BertEncoder is bert.BertEncoder
    assert modeling_bert.BertEncoder.__module__ == "transformers.models.bert.modeling_bert"
    assert type(transformers.BertModel(_small()).encoder) is modeling_bert.BertEncoder
    assert not hasattr(modeling_bert, "BertLayerNorm")
    assert not hasattr(transformers.optimization, "AdamW")


def test_the_library_imports_as_ever(mmf):
    from transformers import AutoModel, AutoTokenizer, BertModel
    from transformers.utils import is_torchvision_available

    assert AutoModel and AutoTokenizer and BertModel
    try:
        import torchvision  # noqa: F401
    except Exception:
        assert not is_torchvision_available()
    else:
        assert is_torchvision_available()


def _small():
    from transformers import BertConfig

    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    return BertConfig(vocab_size=11, intermediate_size=8, **sizes)


def test_output_layers_can_share_the_embeddings(mmf):
    from transformers import BertModel

    model, head = BertModel(_small()), torch.nn.Linear(8, 11)
    model._tie_or_clone_weights(head, model.embeddings.word_embeddings)
    assert head.weight is model.embeddings.word_embeddings.weight


def test_mmfs_tokenizer_runs_on_the_librarys(mmf, tmp_path):
    from mmf.datasets.processors.bert_processors import BertTokenizer
    from mmf.utils.configuration import OmegaConf
    from transformers import BertConfig
    from transformers import BertTokenizer as LibrarysTokenizer

    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "film", "##s"]
    (tmp_path / "vocab.txt").write_text("\n".join(vocab))
    LibrarysTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    BertConfig(vocab_size=len(vocab)).save_pretrained(tmp_path)
    processor = BertTokenizer(
        OmegaConf.create(
            {
                "tokenizer_config": {"type": str(tmp_path), "params": {"do_lower_case": True}},
                "mask_probability": 0,
                "max_seq_length": 7,
            }
        )
    )
    found = processor({"text": "Good films"})
    assert found["input_ids"].tolist() == [2, 6, 7, 8, 3, 0, 0]
    assert found["input_mask"].tolist() == [1, 1, 1, 1, 1, 0, 0]
