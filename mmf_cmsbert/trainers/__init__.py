"""Trainers and learning rate schedules; each module registers what it defines."""
