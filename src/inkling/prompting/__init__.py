"""Which words describe classes best to an encoder: tried on labelled images, judged on those not chosen by."""
