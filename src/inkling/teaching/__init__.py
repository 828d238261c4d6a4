"""What a classifier was taught: labelled samples, classes in words, their head, and all of it in a memory."""
