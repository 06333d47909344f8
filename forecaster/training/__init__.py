"""Training: sampling, the training loop, checkpoints."""
