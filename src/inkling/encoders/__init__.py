"""Pretrained image/text encoders behind one Protocol."""
