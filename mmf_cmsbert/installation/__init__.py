"""Installing MMF into the running Python, and describing what is installed."""
