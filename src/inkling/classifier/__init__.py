"""The object that users hold: an encoder, what it learned from labelled images, and how a memory keeps it."""
