"""The environment of a run: command line, checkpoints, several processes."""
