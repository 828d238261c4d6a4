"""Models as OpenCLIP publishes them."""
