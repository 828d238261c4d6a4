"""From what the user names to RGB pictures: finding images, reading them safely, and varying them.

No vectors and no models in this room. What cannot be read raises `UnreadableImageError` with the reason in
words; callers turn that into a `SkippedImage`.
"""
