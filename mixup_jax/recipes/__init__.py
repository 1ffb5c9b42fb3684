"""Recipes: the only code that reads a section's config."""
