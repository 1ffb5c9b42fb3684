"""Folders of images, one for each class; ImageNet and its relatives."""
