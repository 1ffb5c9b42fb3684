"""Published sets: one folder each, with what is known, files and builder."""
