"""A classifier as one folder that answers without Inkling. It needs the extra ``export``."""
