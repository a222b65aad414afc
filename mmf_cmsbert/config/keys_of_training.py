"""Keys that the scores of trained weights do not depend on.

They act in training only, choose the initial weights, or say where data lies or how it is stored.
A pattern covers what is below it, too.
"""

IRRELEVANT_TO_MODEL = (
    "*dropout*",
    "backbone.length_groups",  # how batches are arranged: the same numbers
    "contrastive.temperature",  # its start; the temperature itself is among the weights
    "contrastive.learn_temperature",
    "contrastive.ema_targets",
    "ema.decay",
    "ema.warm_up",
    "finetune_lr_multiplier",
    "losses",
    "model",  # MMF's, the name again
    "zoo_requirements",
)
# Of the models of MMF and of other projects, by the names that are usual there.
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
    # places
    "*_dir",
    "*_path",
)
IRRELEVANT_TO_DATASET = (
    "data_dir",
    "annotations",
    "source",
    "layout",
    "vocabulary",
    "store_dir",
    "on_invalid",
    "non_finite",
    "synthetic",
)
# Names and folders of pretrained parts, which may have moved.
PRETRAINED = (
    "model_config.*.backbone.name",
    "model_config.*.backbone.from_config",
    "dataset_config.*.processors.*.params.tokenizer",
)
