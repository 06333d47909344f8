"""Daily candles: source → cleaning → store → panel."""
