"""Trainers and learning rate schedules; importing the room registers the trainers."""

from mmf_cmsbert.trainers import lightning_trainer as lightning_trainer
from mmf_cmsbert.trainers import several_processes as several_processes
