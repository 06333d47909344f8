"""Risk and odds of positions, read off joint candle paths: pure functions of arrays, and holdings."""
