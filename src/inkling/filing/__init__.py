"""Pictures filed in new folders: copied or linked, never moved, with a manifest by which that is undone.

Nothing that exists is written over, and nothing is removed but what a manifest names and nobody has changed since.
"""
