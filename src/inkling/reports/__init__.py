"""Pages that people read: reports of evaluations and fine-tunings, and contact sheets of proposals."""
