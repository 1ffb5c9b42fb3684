"""Data sets: the only place that imports tensorflow_datasets."""
