"""A trained network's forecasts: for many origins at once, and for the newest candle of a ticker."""
