"""Measures of a classifier and the report that shows them."""
