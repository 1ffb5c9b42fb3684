"""Data sets held in memory: images, audio, tables, and their order."""
