"""Unlabelled images through a memory: the strange ones wait in its pool, and clusters of them become proposals."""
