"""A run's networks as one ONNX file, made from the weights alone: torch is not needed, and no tracing guesses a size.

What is written is the forecast at the newest candle; a test holds it against torch for every network.
"""
