"""Vectors made once per image content, encoder and view, and kept in a cache."""
