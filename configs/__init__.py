"""One ml_collections config file for each section of the paper."""
