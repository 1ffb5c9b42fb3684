"""Training: state, step, program, loop, and the run from start to end."""
