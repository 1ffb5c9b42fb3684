"""What surrounds a run: command line, checkpoints, several processes."""
