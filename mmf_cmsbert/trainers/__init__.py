"""Trainers and learning rate schedules; importing the room registers the trainer."""

from mmf_cmsbert.trainers import lightning_trainer as lightning_trainer
