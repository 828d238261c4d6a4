"""What a person decides about proposals and known classes: each one transaction, live at once, with an inverse."""
