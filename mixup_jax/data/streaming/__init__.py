"""Sets that stream from disk: datasets, their order, decoding, batches."""
