"""Geometry of the report's figures: measures in, frozen values out. Markup is the templates' business."""
