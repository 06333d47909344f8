"""Exports a run's networks as one ONNX file, built from the weights: no torch, no tracing, all sizes exact.

The graph computes the forecast at the newest candle; a test compares it with torch for every network.
"""
