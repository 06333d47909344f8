"""Fitting a network: sampling, the loop, its checkpoints."""
