"""Unlabelled images looked through for new classes, and what a person decides about them."""
