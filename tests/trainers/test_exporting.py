"""A finished run exports its model to RUN/model."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf
from real_commands import TRAINERS, Started, recipe
from small_predictor import DEMO, made

from mmf_cmsbert.predictor import SentimentPredictor

TEXT = "a very good film"


def configuration(predictor, folder, **top):
    words = {"tokenizer": DEMO, "max_seq_length": 12}
    features = predictor.config.model.plain()["features"]["mosi"]
    config = {
        "model": "cmsbert",
        "datasets": "mosi",
        "env": {"save_dir": str(folder), "user_dir": "mmf_cmsbert"},
        "checkpoint": {"export": True},
        "model_config": {"cmsbert": predictor.config.model.plain()},
        "dataset_config": {
            "mosi": {"features": features, "processors": {"word_processor": {"params": words}}}
        },
    }
    return OmegaConf.create(config | top)


class Model:
    """The parts of CMSBERT that are exported: a network, and an average with other weights."""

    def __init__(self, predictor):
        self.network = predictor.network
        averaged = predictor.network.state_dict()
        latest = {name: torch.zeros_like(tensor) for name, tensor in averaged.items()}
        self.state = {f"network.{name}": tensor for name, tensor in latest.items()}
        self.state |= {f"ema.module.{name}": tensor for name, tensor in averaged.items()}
        self.temperature = lambda: torch.tensor(0.25, requires_grad=True)

    def state_dict(self):
        return self.state


@pytest.fixture
def finished(mmf, tmp_path, monkeypatch):
    """Return a function that ends a run with a model and a configuration, and returns the log."""
    from mmf_cmsbert.compat.mmf import log
    from mmf_cmsbert.trainers.exporting import ExportsModel

    lines, weights = [], []
    monkeypatch.setattr(log, "write", lambda line, level="info": lines.append((level, line)))

    class Trainer:
        def train(self):
            self.run_record = self.record

    class Exporting(ExportsModel, Trainer):
        pass

    def end(model, config, record=True):
        trainer = Exporting()
        content = {"seed": 7, "test": {"mosi/sentiment_mae": 0.5}, "best": {"update": 3}}
        trainer.record = SimpleNamespace(content=content) if record else None
        trainer.config, trainer.model = config, model
        trainer.checkpoint = SimpleNamespace(before_export=weights.append, exported=weights.append)
        trainer.train()
        return lines

    return end


def test_the_averaged_weights_are_exported_with_the_record(finished, tmp_path):
    predictor = made()
    assert finished(Model(predictor), configuration(predictor, tmp_path)) == []
    found = SentimentPredictor(tmp_path, device="cpu")
    assert found(TEXT).score == predictor(TEXT).score
    assert found.config.training["seed"] == 7 and found.config.training["best"] == {"update": 3}
    assert found.config.temperature == pytest.approx(0.25)
    assert tmp_path.name in (tmp_path / "model" / "README.md").read_text()


def test_the_model_of_an_earlier_part_of_the_run_is_replaced(finished, tmp_path):
    torch.manual_seed(0)
    first, second = made(), made("word")
    finished(Model(first), configuration(first, tmp_path))
    finished(Model(second), configuration(second, tmp_path))
    assert SentimentPredictor(tmp_path).config.model.shift.context == "word"


@pytest.mark.parametrize("top", [{"model": "concat_bert"}, {"checkpoint": {"export": False}}])
def test_other_models_and_runs_that_do_not_want_it_export_nothing(finished, tmp_path, top):
    predictor = made()
    assert finished(Model(predictor), configuration(predictor, tmp_path, **top)) == []
    assert not list(tmp_path.iterdir())


def test_without_a_record_nothing_is_exported(finished, tmp_path):
    predictor = made()
    finished(Model(predictor), configuration(predictor, tmp_path), record=False)
    assert not list(tmp_path.iterdir())


def test_a_folder_of_the_users_stays_and_the_run_is_finished_all_the_same(finished, tmp_path):
    predictor = made()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "chapter.tex").write_text("...")
    ((level, line),) = finished(Model(predictor), configuration(predictor, tmp_path))
    assert level == "warning" and "is not an exported model" in line
    assert f"cmsbert export {tmp_path} FOLDER" in line
    assert [each.name for each in (tmp_path / "model").iterdir()] == ["chapter.tex"]


@pytest.mark.slow
@pytest.mark.parametrize("trainer", TRAINERS)
def test_every_trainer_exports_the_weights_of_its_best_checkpoint(mmf, tmp_path, trainer):
    from mmf_cmsbert.predictor.export import load_run

    words = [f"config={recipe(tmp_path, max_updates=8)}", "env.save_dir=run", *TRAINERS[trainer]]
    status, _, err = Started(["mmf_run", *words], tmp_path).ended()
    assert status == 0, err
    exported, best = SentimentPredictor(tmp_path / "run"), load_run(tmp_path / "run")
    assert exported.fingerprint() == best.fingerprint()
