"""Few-shot image classification on pretrained image/text encoders."""
