"""Keys that do not change the scores of trained weights.

They affect training only, set the initial weights, or set the location or storage of the data. A
pattern also matches the keys below it.
"""

IRRELEVANT_TO_MODEL = (
    "*dropout*",
    "backbone.length_groups",  # padding only; the results are the same
    "contrastive.temperature",  # the initial value; the learned one is among the weights
    "contrastive.learn_temperature",
    "contrastive.ema_targets",
    "ema.decay",
    "ema.warm_up",
    "finetune_lr_multiplier",
    "losses",
    "model",  # the model's name, added by MMF
    "zoo_requirements",
)
# For models of MMF and of other projects, by usual names.
IRRELEVANT_TO_OTHER_MODEL = (
    "losses",
    "metrics",
    "model",
    "zoo_requirements",
    # training
    "*dropout*",
    "*loss_weight*",
    "*label_smoothing*",
    "*optimizer*",
    "*scheduler*",
    "*weight_decay*",
    "*learning_rate*",
    "lr",
    "lr_*",
    "*.lr",
    "*.lr_*",
    "*_lr",
    "*_lr_*",
    "*freeze*",
    "*gradient_checkpointing*",
    # initial weights
    "*initializer*",
    "*random_init*",
    "*fc_bias_init*",
    "pretrained",
    "*.pretrained",
    "*weights_file",
    "*bias_file",
    "*init_from*",
    # paths
    "*_dir",
    "*_path",
)
IRRELEVANT_TO_DATASET = (
    "data_dir",
    "annotations",
    "source",
    "layout",
    "vocabulary",
    "voice",  # the extractor itself is compared, see media.card
    "store_dir",
    "on_invalid",
    "non_finite",
    "synthetic",
)
# Names or folders of pretrained parts, which may have moved.
PRETRAINED = (
    "model_config.*.backbone.name",
    "model_config.*.backbone.from_config",
    "dataset_config.*.processors.*.params.tokenizer",
)
