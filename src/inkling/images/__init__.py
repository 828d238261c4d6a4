"""Where images come from and how they become pixels. Knows nothing of encoders."""
