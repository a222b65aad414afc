"""What every package may use: processes, locks, and files that are being written."""
