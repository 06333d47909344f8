"""Candles: from a source into the store, and from the store into a panel."""
