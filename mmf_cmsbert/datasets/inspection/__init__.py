"""What is in a corpus, and what to look at before training on it."""
