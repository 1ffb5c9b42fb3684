"""What is measured on a trained network: attacks, calibration, in between."""
