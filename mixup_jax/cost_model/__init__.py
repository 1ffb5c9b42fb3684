"""What a step costs on a TPU slice that is not there."""
