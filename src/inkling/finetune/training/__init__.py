"""Training a two-tower model: batches, augmentation, losses, schedules, steps, checkpoints."""
