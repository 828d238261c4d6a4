"""What training the embedded miniature takes: pictures, encoder, lessons, measurement."""
