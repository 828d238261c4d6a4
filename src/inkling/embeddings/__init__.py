"""Vectors made once: the cache, the pipeline that fills it, and files of vectors that come from elsewhere.

Nothing here imports a model library. A run that finds all its vectors in the cache never asks the encoder for
one.
"""
