"""Libraries whose current releases differ from those that MMF was written for."""
