"""Data sets that stream from disk: their order, decoding and batches."""
