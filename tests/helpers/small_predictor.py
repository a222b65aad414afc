"""A small predictor in memory, with random weights."""

import torch

from mmf_cmsbert.checkpoints.model_folder import ModelConfig, Preparation
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.predictor import SentimentPredictor
from mmf_cmsbert.predictor.predictor import build_network
from mmf_cmsbert.processors.word_pieces import load_tokenizer

DEMO = "projects/cmsbert/demo"  # its tokenizer
BACKBONE = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


def made(context="utterance", classes=None, targets=None, precision="fp32", **preparation):
    """Return a predictor with random weights and a nonzero shift."""
    torch.manual_seed(0)
    tokenizer = load_tokenizer(DEMO, "tokenizer")
    losses = [{"type": "sentiment_classification"}] if classes else CMSBERTConfig().losses
    config = ModelConfig(
        library_version="0",
        model=CMSBERTConfig.model_validate(
            {
                "features": {"mosi": {"visual": 5, "acoustic": 4}},
                "shift": {"context": context, "start": "mag"},
                "frames": {"dim": 8, "heads": 2},
                "targets": targets and {"mosi": targets},
                "head": {"classes": classes},
                "losses": losses,
            }
        ),
        backbone=BACKBONE | {"vocab_size": len(tokenizer)},
        tokenizer=DEMO,
        datasets={"mosi": Preparation(max_seq_length=12, **preparation)},
        training={"seed": 1, "test": {"mosi/sentiment_mae": 0.75}},
    )
    network = build_network(config)
    return SentimentPredictor.of(config, network, tokenizer, "cpu", precision=precision)
