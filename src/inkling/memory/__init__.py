"""The memory file: known classes, exemplars, head and calibration in one SQLite database."""
