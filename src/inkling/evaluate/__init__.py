"""Measures of a classifier, and the protocol by which they are taken."""
