"""From embeddings to class scores. Arrays only: no paths, no images, no encoders."""
