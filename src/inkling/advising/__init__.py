"""What is worth doing next: more images, of which classes, and which to label first."""
