"""The added keys exist, can be overridden on the command line, and do not hide other keys."""

import argparse


def configuration(*opts):
    from mmf.utils.configuration import Configuration

    if not opts:
        return Configuration().get_config()
    return Configuration(argparse.Namespace(config_override=None, opts=list(opts))).get_config()


def test_defaults(toy):
    config = configuration()
    assert config.training.detect_anomaly is False
    assert config.training.max_grad_l2_norm is None
    assert config.checkpoint.max_to_keep == -1
    # MMF's keys are unchanged
    assert config.training.batch_size == 512
    assert config.checkpoint.reset.all is False


def test_files_and_the_command_line_win(toy, tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("training: {detect_anomaly: true, max_grad_l2_norm: 5}\n")
    words = [f"config={file}", "model=toy_model", "dataset=toy_a", "checkpoint.max_to_keep=2"]
    config = configuration(*words)
    assert config.training.detect_anomaly is True
    assert config.training.max_grad_l2_norm == 5
    assert config.checkpoint.max_to_keep == 2
