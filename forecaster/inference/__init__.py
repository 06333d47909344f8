"""Inference: forecasts of a trained network, for many origins at once and for the newest candle of a ticker."""
