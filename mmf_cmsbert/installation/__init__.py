"""Install MMF into the running Python, and report what is installed."""
