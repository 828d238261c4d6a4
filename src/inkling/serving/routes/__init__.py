"""The routes, one module for each matter."""
