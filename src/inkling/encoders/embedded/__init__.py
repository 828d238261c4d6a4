"""Encoders that ship inside the package."""
