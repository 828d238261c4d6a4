"""Fine-tuning: makes a new encoder, with a new fingerprint, out of a two-tower model and labelled images."""
