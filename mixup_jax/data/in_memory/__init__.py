"""Sets that lie in memory whole: images, audio, tables, and their order."""
