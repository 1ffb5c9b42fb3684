"""Street View House Numbers."""
