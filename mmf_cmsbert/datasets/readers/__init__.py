"""Files of every layout as segments."""
