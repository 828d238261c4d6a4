"""Parts of the building of `pocket`: what it is made of, its weights, its graphs."""
