"""GANs on Gaussians in the plane: losses, the game, many seeds, modes."""
