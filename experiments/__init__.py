"""One script for each section of the paper."""
