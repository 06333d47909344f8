"""Is there skill? Baselines, scores, significance, and the ledger of looks at a test period."""
