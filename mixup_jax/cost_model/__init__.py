"""Ahead-of-time cost estimates of a training step on a TPU slice."""
